import assert from "node:assert/strict";
import fc from "fast-check";
import { sameBytes } from "../../../src/satp/same_bytes.ts";

Deno.test("bytes are the same where all of them are, and as many", () => {
  const few = fc.uint8Array({ max: 1, maxLength: 3 });
  fc.assert(fc.property(few, few, (a, b) => {
    assert.equal(sameBytes(a, b), a.join() === b.join());
  }));
});
