import { strict as assert } from "node:assert";
import { routesText } from "../../../src/status/page/text.js";

Deno.test("the page shows a handful of routes, and how many more there are", () => {
  assert.equal(routesText([]), "-");
  assert.equal(routesText(["10.0.0.0/8", "::/0"]), "10.0.0.0/8, ::/0");
  const many = Array.from({ length: 60_000 }, (_, k) => `10.0.0.${k}/32`);
  assert.match(routesText(many), /^10\.0\.0\.0\/32, .* and 59980 more$/);
  assert.ok(routesText(many).length < 500);
});
