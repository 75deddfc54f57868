import assert from "node:assert/strict";
import { kdPrfOf } from "../../../src/satp/params.ts";

Deno.test("the size of a key says which key derivation it is for", () => {
  const sizes = { 0: "null", 16: 128, 24: 192, 32: 256 } as const;
  for (const [bytes, bits] of Object.entries(sizes)) {
    const name = bits === "null" ? bits : `aes-ctr-${bits}`;
    assert.equal(kdPrfOf(Number(bytes)), name);
  }
  for (const other of [15, 16.125, 17, 33, NaN]) {
    assert.equal(kdPrfOf(other), undefined);
  }
});
