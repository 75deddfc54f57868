import assert from "node:assert/strict";
import fc from "fast-check";
import { asciiJson, visibleJson } from "../../../src/log/visible.ts";

for (const [name, json] of Object.entries({ asciiJson, visibleJson })) {
  Deno.test(`${name}() is read back as it was, whatever is in it`, () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.deepEqual(JSON.parse(json({ text })), { text });
    }));
  });
}

Deno.test("asciiJson() has no characters but those that ASCII prints", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.match(asciiJson({ [text]: text }), /^[ -~]*$/);
  }));
  assert.equal(asciiJson("é\x7f🙂"), '"\\u00e9\\u007f\\ud83d\\ude42"');
});
