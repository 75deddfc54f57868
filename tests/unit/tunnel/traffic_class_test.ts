import assert from "node:assert/strict";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import type { DscpChoice } from "../../../src/tunnel/settings.ts";
import { InnerEcn, OuterClass } from "../../../src/tunnel/traffic_class.ts";

/** Of IPv6, which has no checksum. */
function packet(trafficClass: number): Uint8Array {
  const bytes = new Uint8Array(40);
  bytes.set([0x60 | trafficClass >>> 4, trafficClass << 4 & 0xff]);
  return bytes;
}

function frame(trafficClass: number, type = 0x86dd): Uint8Array {
  const bytes = new Uint8Array(54);
  bytes.set([type >>> 8, type & 0xff], 12);
  bytes.set(packet(trafficClass), 14);
  return bytes;
}

function live(dscp: DscpChoice, ecn: boolean): LiveSettings {
  const settings = new LiveSettings();
  settings.dscp = dscp;
  settings.ecn = ecn;
  return settings;
}

Deno.test("the class of a datagram is as it is chosen, from the next batch on", () => {
  const settings = live("off", false);
  const outer = new OuterClass(settings, "tun");
  const now = () => {
    outer.begin();
    return [outer.of(packet(0xbb), 0, 40), outer.fixed];
  };
  assert.deepEqual(now(), [0, 0]);
  settings.ecn = true;
  assert.deepEqual(now(), [3, 0]);
  settings.dscp = "copy";
  assert.deepEqual(now(), [0xbb, 0]);
  settings.ecn = false;
  assert.deepEqual(now(), [0xb8, 0]);
  settings.dscp = 10;
  assert.deepEqual(now(), [40, 40]);
  settings.ecn = true;
  assert.deepEqual(now(), [43, 40]);
});

Deno.test("frames have the class of the packet inside, and others the fixed one", () => {
  const outer = new OuterClass(live("copy", true), "tap");
  outer.begin();
  assert.equal(outer.of(frame(0xbb), 0, 54), 0xbb);
  assert.equal(outer.of(frame(0xbb, 0x8847), 0, 54), 0);
  assert.equal(outer.of(frame(0xbb), 0, 20), 0);
});

for (const deviceType of ["tun", "tap"] as const) {
  Deno.test(`a packet of a ${deviceType} device is told what its datagram met`, () => {
    const make = deviceType === "tun" ? packet : frame;
    const settings = live("off", false);
    const ecn = new InnerEcn(settings, deviceType);
    const take = (inner: number, outer: number) => {
      const bytes = make(inner);
      ecn.begin();
      const isTaken = ecn.takes(bytes, 0, bytes.length, outer);
      return isTaken ? bytes : undefined;
    };
    assert.deepEqual(take(0xba, 0xbb), make(0xba), "it is off");
    settings.ecn = true;
    assert.deepEqual(take(0xba, 0x03), make(0xbb));
    assert.deepEqual(take(0xba, 0xfc), make(0xba), "DSCP stays");
    assert.deepEqual(take(0xb8, 0x02), make(0xb8));
    assert.equal(take(0xb8, 0x03), undefined);
  });
}

Deno.test("a frame of another protocol passes as it is, whatever its datagram met", () => {
  const ecn = new InnerEcn(live("off", true), "tap");
  ecn.begin();
  const bytes = frame(0xba, 0x8847);
  assert.equal(ecn.takes(bytes, 0, bytes.length, 3), true);
  assert.deepEqual(bytes, frame(0xba, 0x8847));
});
