import { strict as assert } from "node:assert";
import { keptValue, MAX_CLIENT_BYTES } from "../../../src/fleet/layout.ts";

Deno.test("of a value that is too long to be of use nothing is kept but that", () => {
  const [most, more] = [MAX_CLIENT_BYTES, MAX_CLIENT_BYTES + 1];
  assert.equal(keptValue("a".repeat(most)), "a".repeat(most));
  assert.equal(keptValue("a".repeat(10 * most)), "#".repeat(more));
});
