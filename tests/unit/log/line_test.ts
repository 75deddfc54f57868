import assert from "node:assert/strict";
import fc from "fast-check";
import {
  escapeControls,
  formatJsonLine,
  formatLine,
} from "../../../src/log/line.ts";
import { codeOf, reasonOf } from "../../../src/log/reason.ts";

Deno.test("formatLine() pads day and time, and names the month in English", () => {
  for (let month = 0; month < 12; month++) {
    const name = "JanFebMarAprMayJunJulAugSepOctNovDec"
      .slice(3 * month, 3 * month + 3);
    assert.equal(
      formatLine(new Date(2027, month, 3, 4, 5, 6), "warning", "text"),
      `2027-${name}-03 04:05:06 WARNING: text\n`,
    );
  }
});

Deno.test("escapeControls() shows what cannot be seen", () => {
  const examples: ReadonlyArray<readonly [string, string]> = [
    ["plain text, ümläut, 漢字, 🙂", "plain text, ümläut, 漢字, 🙂"],
    ["a\nb\r\tc", "a\\nb\\x0d\\x09c"],
    ["\x00\x1b\x7f\x85", "\\x00\\x1b\\x7f\\x85"],
    ["\u2028\u2029\u202e\ufeff", "\\u{2028}\\u{2029}\\u{202e}\\u{feff}"],
    ["\ud800", "\\u{d800}"],
  ];
  for (const [text, shown] of examples) {
    assert.equal(escapeControls(text), shown);
  }
});

Deno.test("formatLine() makes exactly one line of any text", () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom("\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"),
      fc.integer({ min: 0, max: 0x10ffff }).map((code) =>
        String.fromCodePoint(code)
      ),
    ),
  });
  fc.assert(fc.property(nasty, (text) => {
    const line = formatLine(new Date(0), "error", text);
    assert.match(line, /^[^\p{Cc}\p{Zl}\p{Zp}]*\n$/u);
  }));
});

Deno.test("reasonOf() says errors of the system in words alone", () => {
  const inUse = new Error("Address already in use (os error 98)");
  assert.equal(reasonOf(inUse), "Address already in use");
  assert.equal(
    reasonOf("Permission denied (os error 13): open 'a'"),
    "Permission denied: open 'a'",
  );
});

Deno.test("a line of JSON steers no terminal, and says what it was given", () => {
  const text = "\x1b[2J \x9b31m \x7f \u202e \u2028 \ufeff \ud800";
  const line = formatJsonLine(new Date(0), "notice", text, { cause: text });
  assert.match(line, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*\n$/u);
  const { message, cause } = JSON.parse(line);
  assert.deepEqual([message, cause], [text, text]);
});

Deno.test("codeOf() knows the code of an error alone", () => {
  const coded = (code: unknown) => Object.assign(new Error("no"), { code });
  assert.equal(codeOf(coded("EPERM")), "EPERM");
  for (const other of [coded(1), new Error("no"), { code: "EPERM" }, null]) {
    assert.equal(codeOf(other), undefined);
  }
});
