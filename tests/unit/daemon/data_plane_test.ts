import assert from "node:assert/strict";
import { DataPlane } from "../../../src/daemon/data_plane.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import {
  DSCP_COPY,
  DSCP_OFF,
  LiveSettings,
  MSS_AUTO,
} from "../../../src/tunnel/live_settings.ts";

Deno.test("another MSS or DSCP is there for the threads at once when options are read again", () => {
  const live = new LiveSettings();
  const ends = {
    get builder(): never {
      throw new Error("nothing is opened");
    },
  };
  const plane = new DataPlane(ends, {
    table: new ConnectionTable(ConnectionTable.allocate()),
    ...{ live, routes: undefined, accepted: undefined, moved() {} },
  }, () => 0);
  assert.deepEqual(plane.live, ["mss", "dscp", "ecn"]);
  const others = { dscp: "off", ecn: false } as const;
  plane.reload({ ...others, mss: "auto" });
  assert.equal(live.mssBound, MSS_AUTO);
  plane.reload({ ...others, mss: 1200 });
  assert.equal(live.mssBound, 1200);
  plane.reload({ ...others, mss: "off" });
  assert.equal(live.mssBound, 0);
  assert.deepEqual([live.dscpCode, live.ecn], [DSCP_OFF, false]);
  plane.reload({ mss: "off", dscp: "copy", ecn: true });
  assert.deepEqual([live.dscpCode, live.ecn], [DSCP_COPY, true]);
  plane.reload({ mss: "off", dscp: 46, ecn: false });
  assert.deepEqual([live.dscpCode, live.ecn], [46, false]);
});
