import assert from "node:assert/strict";
import { DeviceDrops, droppedIn } from "../../../ffi/tuntap/device_drops.ts";
import { libcTest } from "../../fakes/with_libc.ts";

/** Of Linux 6.1. */
const TEXT = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes
    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
  tun0:84       1    0    0    0     0          0         0      168       2    0   97    0     0       0          0
tun0:1: 0 0 0 0 0 0 0 0 0 0 0 5 0 0 0 0
  tun1: 84 1
`;

Deno.test("what was dropped ahead of a device stands behind its name", () => {
  assert.equal(droppedIn(TEXT, "lo"), 12);
  assert.equal(droppedIn(TEXT, "tun0"), 97);
  assert.equal(droppedIn(TEXT, "tun0:1"), 5);
});

Deno.test("of a device that is not there nobody knows, nor where columns are missing", () => {
  for (const name of ["tun", "tun1", "tun2", "face |bytes", ""]) {
    assert.equal(droppedIn(TEXT, name), undefined, name);
  }
});

libcTest(
  "nothing is dropped of a device that has not come, or is gone",
  (libc) => {
    using drops = new DeviceDrops(libc, "at-none");
    assert.equal(drops.count, 0);
  },
);
