import { strict as assert } from "node:assert";
import { CallOrder } from "../../../src/tunnel/call_order.ts";

Deno.test("a call has no effect once a later one of its connection has had", () => {
  const calls = new CallOrder();
  const [first, second, third] = [calls.begin(), calls.begin(), calls.begin()];
  assert.equal(calls.take(1, second), true);
  assert.equal(calls.take(1, first), false);
  assert.equal(calls.take(2, first), true, "others do not count");
  assert.equal(calls.take(1, third), true);
});
