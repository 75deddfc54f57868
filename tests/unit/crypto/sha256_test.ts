import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { sha256 } from "../../../src/crypto/sha256.ts";

Deno.test("sha256() hashes what the standard has as an example", () => {
  assert.equal(
    sha256(new TextEncoder().encode("abc")).toHex(),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("sha256() hashes as node:crypto does, however long it is", () => {
  for (let length = 0; length <= 200; length++) {
    const data = new Uint8Array(length).fill(0xa5);
    const expected = createHash("sha256").update(data).digest("hex");
    assert.equal(sha256(data).toHex(), expected, `${length} bytes`);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
    const expected = createHash("sha256").update(data).digest("hex");
    assert.equal(sha256(data).toHex(), expected);
  }));
});
