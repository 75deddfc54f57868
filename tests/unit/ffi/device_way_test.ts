import assert from "node:assert/strict";
import { SystemError } from "../../../ffi/errno.ts";
import { DeviceWay } from "../../../ffi/tuntap/device_way.ts";
import { libcTest } from "../../fakes/with_libc.ts";

const HERE = Uint8Array.of(127, 0, 0, 1);
const HERE_IPV6 = new Uint8Array(16).with(15, 1);

libcTest("the way to this host is over the loopback device", (libc) => {
  using way = new DeviceWay(libc, "lo");
  // Again and again: no answer stays for the next question.
  for (let k = 0; k < 3; k++) {
    for (const to of [HERE, HERE_IPV6]) {
      const from = new Uint8Array(to.length);
      assert.equal(way.isTaken({ to, from, mark: 0 }), true);
      assert.equal(way.isTaken({ to, from: to, mark: 7 }), true);
    }
    const elsewhere = Uint8Array.of(203, 0, 113, 7);
    const from = new Uint8Array(4);
    assert.equal(way.isTaken({ to: elsewhere, from, mark: 0 }), false);
    const to = Uint8Array.of(1, 2, 3);
    assert.equal(way.isTaken({ to, from, mark: 0 }), false, "no address");
  }
});

libcTest("there is no way over a device that is not there", (libc) => {
  assert.throws(() => new DeviceWay(libc, "none-such"), SystemError);
});
