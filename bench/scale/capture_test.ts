import { strict as assert } from "node:assert";
import { readCapture, transitOf } from "./capture.ts";

/** A capture of packets of two bytes: whether they come in, and how many. */
function captureOf(
  ...packets: readonly (readonly [ms: number, isIn: number, count: number])[]
): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(24 + 18 * packets.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b23c4d, true);
  packets.forEach(([ms, isIn, count], k) => {
    const at = 24 + 18 * k;
    view.setUint32(at, Math.floor(ms / 1000), true);
    view.setUint32(at + 4, ms % 1000 * 1e6, true);
    view.setUint32(at + 8, 2, true);
    view.setUint32(at + 12, 2, true);
    file.set([isIn, count], at + 16);
  });
  return file;
}

const READING = {
  isIn: (packet: Uint8Array) => packet[0] === 1,
  count: (packet: Uint8Array) => packet[1] ?? 0,
};

Deno.test("a capture tells when packets came by, each of those that are one for the kernel", () => {
  const file = captureOf([999, 1, 1], [1001, 0, 3], [1002, 1, 0], [1003, 1, 1]);
  assert.deepEqual(readCapture(file, READING), {
    in: [999, 1003],
    out: [1001, 1001, 1001],
  });
});

Deno.test("a capture whose times are not in ns is refused", () => {
  const file = captureOf();
  file[0] = 0xd4;
  assert.throws(() => readCapture(file, READING), /not in ns/);
});

Deno.test("packets are joined by their order, and those that do not come out are lost", () => {
  assert.deepEqual(transitOf([0, 1, 2, 3], [1, 3, 9], []), {
    packets: 3,
    lost: 1,
    median: 2,
    p99: 7,
    worst: 7,
    held: 7,
    behind: undefined,
  });
});

Deno.test("what a thread waits for a processor while it has a packet is not what it holds that", () => {
  const waits = [
    { from: -1, to: 0.5, behind: 1 },
    { from: 1.5, to: 2, behind: 2 },
    { from: 2.5, to: 8, behind: 3 },
    { from: 8.5, to: 20, behind: 4 },
  ];
  const { worst, held, behind } = transitOf([0, 2], [1, 9], waits);
  assert.equal(worst, 7);
  // 0.5 of the first one, and of the second 5.5 behind 3, 0.5 behind 4.
  assert.equal(held, 1);
  assert.equal(behind, 4);
});
