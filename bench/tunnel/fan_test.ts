import assert from "node:assert/strict";
import { senderIdRow } from "../../src/config/connection.ts";
import { crewOf } from "../../src/tunnel/native/crew.ts";
import { fanClient, fanDevice, fanServer, workerCounts } from "./fan.ts";

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

Deno.test("a server's workers all carry both ways", () => {
  for (const workers of [2, 4, 64]) {
    const [option, count, name, range = ""] = fanServer(workers);
    assert.deepEqual([option, count], ["--workers", `${workers}`]);
    assert.equal(name, senderIdRow.long);
    const { first, last } = senderIdRow.parse(range);
    const crew = crewOf(workers, last - first + 1);
    assert.deepEqual(crew, { readers: workers, receivers: workers });
  }
});
