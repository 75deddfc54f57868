import assert from "node:assert/strict";
import { claimName } from "../../../ffi/net/abstract_claim.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";

Deno.test("a name is claimed once, and free again when that is let go", () => {
  const libc = openProcessLibc();
  const name = `anytun-test/${crypto.randomUUID()}`;
  const first = claimName(libc, name);
  assert.ok(typeof first !== "number");
  assert.equal(claimName(libc, name), Deno.uid(), "it names who has it");
  first[Symbol.dispose]();
  const again = claimName(libc, name);
  assert.ok(typeof again !== "number");
  again[Symbol.dispose]();
  libc.close();
});
