import assert from "node:assert/strict";
import {
  DSCP_COPY,
  DSCP_OFF,
  LiveSettings,
  MSS_AUTO,
} from "../../../src/tunnel/live_settings.ts";

Deno.test("live settings are all off at first", () => {
  const live = new LiveSettings();
  assert.equal(live.mssBound, 0);
  assert.equal(live.deviceMtu, 0);
  assert.equal(live.dscpCode, DSCP_OFF);
  assert.equal(live.ecn, false);
});

Deno.test("live settings are what options say, each for itself", () => {
  const live = new LiveSettings();
  live.deviceMtu = 1400;
  live.take({ mss: 1200, dscp: 46, ecn: true });
  const { mssBound, dscpCode, ecn, deviceMtu } = live;
  assert.deepEqual([mssBound, dscpCode, ecn, deviceMtu], [
    ...[1200, 46, true, 1400],
  ]);
  live.take({ mss: "auto", dscp: "off", ecn: false });
  assert.equal(live.mssBound, MSS_AUTO);
  assert.equal(live.dscpCode, DSCP_OFF);
  assert.equal(live.ecn, false);
});

Deno.test("what one thread sets of the live settings another one reads", () => {
  const here = new LiveSettings();
  const there = new LiveSettings(here.shared);
  here.mss = "auto";
  here.deviceMtu = 1400;
  here.dscp = "copy";
  assert.equal(there.mssBound, MSS_AUTO);
  assert.equal(there.deviceMtu, 1400);
  assert.equal(there.dscpCode, DSCP_COPY);
  here.mss = 1200;
  here.dscp = 46;
  assert.equal(there.mssBound, 1200);
  assert.equal(there.dscpCode, 46);
  here.mss = "off";
  here.dscp = "off";
  assert.equal(there.mssBound, 0);
  assert.equal(there.dscpCode, DSCP_OFF);
});
