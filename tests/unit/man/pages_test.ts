import { strict as assert } from "node:assert";
import { outcomeOf } from "../../../lab/process.ts";
import { pageText } from "../../../man/page.ts";
import { allPages } from "../../../man/pages.ts";
import { marked, paragraph } from "../../../man/roff.ts";
import { TABLES } from "../../../man/programs.ts";
import { namesOf } from "../../../src/config/option.ts";
import { testUnless } from "../../../lab/test_unless.ts";
import { whyNoPrograms } from "../../../lab/missing.ts";

async function mandoc(args: readonly string[], text: string): Promise<string> {
  const { stdout, stderr } = await outcomeOf(
    ["mandoc", ...args],
    { input: text },
  );
  return stdout + stderr;
}

async function hasMandoc(): Promise<boolean> {
  try {
    await mandoc(["-T", "lint"], "");
    return true;
  } catch {
    return false;
  }
}

const why = whyNoPrograms() ??
  (await hasMandoc() ? null : "mandoc is missing");
const release = { version: "1.2.3", date: "2026-11-29" };

testUnless(
  [why],
  "mandoc finds no fault in any manual page, of style neither",
  async () => {
    for (const page of await allPages()) {
      const text = pageText(page, release);
      const faults = await mandoc(["-T", "lint", "-W", "style"], text);
      assert.equal(faults, "", page.name);
    }
  },
);

testUnless(
  [why],
  "the page of a program shows every option of it as one would type it",
  async () => {
    const pages = await allPages();
    for (const [program, table] of Object.entries(TABLES)) {
      const page = pages.find(({ name }) => name === program);
      assert.ok(page, program);
      const shown = await mandoc(["-T", "utf8"], pageText(page, release));
      const plain = shown.replaceAll(/.[\b]/g, "");
      for (const option of Object.values(table)) {
        assert.ok(plain.includes(`\n       ${namesOf(option).join(", ")}`));
      }
    }
  },
);

Deno.test("in a page literals are bold, blanks italic, and dashes can be copied", () => {
  assert.equal(
    marked('"file:<level>" with --log-format, see anytun(8)'),
    "\\fBfile:\\fR\\fIlevel\\fR with \\fB\\-\\-log\\-format\\fR, " +
      "see \\fBanytun\\fR(8)",
  );
});

Deno.test("no text of a page is taken for a request of roff", () => {
  assert.equal(paragraph(".so /etc/shadow"), "\\&.so /etc/shadow");
  assert.equal(paragraph("'so \\n"), "\\(aqso \\en");
});
