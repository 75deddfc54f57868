import assert from "node:assert/strict";
import { PLANE_COUNTERS, PlaneCounter } from "../../../src/tunnel/counters.ts";
import { KernelDrops } from "../../../src/tunnel/kernel_drops.ts";

function setUp() {
  const sockets = [{ dropped: 7 }, { dropped: 2 ** 32 - 1 }];
  const device = { count: 0, isClosed: false };
  const drops = new KernelDrops({
    sockets,
    device: {
      openDrops: () => ({
        get count() {
          assert.ok(!device.isClosed);
          return device.count;
        },
        [Symbol.dispose]: () => void (device.isClosed = true),
      }),
    },
  });
  const counted = () => {
    const counters = drops.addTo(new Float64Array(PLANE_COUNTERS).fill(100));
    const { RECEIVE_DROPPED, DEVICE_DROPPED } = PlaneCounter;
    return [counters[RECEIVE_DROPPED], counters[DEVICE_DROPPED]];
  };
  return { sockets, device, drops, counted };
}

Deno.test("what the kernel drops counts from the start on, also when its own count begins anew", () => {
  const { sockets, device, counted } = setUp();
  assert.deepEqual(counted(), [100, 100]);
  sockets.forEach((socket) => socket.dropped = (socket.dropped + 5) % 2 ** 32);
  device.count = 3;
  assert.deepEqual(counted(), [110, 103]);
  assert.deepEqual(counted(), [110, 103], "once");
});

Deno.test("at the end it is known what was dropped, and nothing is asked any more", () => {
  const { sockets, device, drops, counted } = setUp();
  device.count = 3;
  sockets.forEach((socket) => socket.dropped++);
  drops[Symbol.dispose]();
  sockets.forEach((socket) => socket.dropped = 0);
  assert.deepEqual(counted(), [102, 103]);
});
