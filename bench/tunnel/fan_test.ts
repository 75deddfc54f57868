import assert from "node:assert/strict";
import { fanClient, fanDevice, workerCounts } from "./fan.ts";

Deno.test("workers are doubled up to all processors, each count once", () => {
  assert.deepEqual([1, 2, 4, 6].map(workerCounts), [
    ...[[1], [1, 2], [1, 2, 4], [1, 2, 4, 6]],
  ]);
  assert.equal(workerCounts(96).at(-1), 64);
});

Deno.test("64 clients have a device and a network each", () => {
  const indices = Array.from({ length: 64 }, (_, index) => index);
  assert.equal(new Set(indices.map(fanDevice)).size, 64);
  assert.equal(fanClient(63), "198.51.100.254");
  // IFNAMSIZ of Linux is 16, with the zero at the end.
  assert.ok(indices.map(fanDevice).every((name) => name.length <= 15));
});
