// What anytun status is answered about a cluster, by whoever listens there.
import { strict as assert } from "node:assert";
import { membersDumpLines } from "../../../src/status/dump.ts";
import { ReportError } from "../../../src/status/fields.ts";
import { readMembersReport } from "../../../src/status/members_report.ts";
import { membersTableLines } from "../../../src/status/members_table.ts";
import { visibleJson } from "../../../src/log/visible.ts";
import { sampleMembers } from "../../samples/report.ts";
import type { Target } from "../target.ts";

/** Control characters but tabs, and those that turn the writing. */
const ACTING = /(?!\t)\p{Cc}|\p{Cf}/u;

export default function open(): Target {
  return {
    seeds: [sampleMembers(), sampleMembers({ members: [] })].map((one) =>
      new TextEncoder().encode(JSON.stringify(one))
    ),
    words: [
      ...["null", "true", "-1", "1e999", "[]", "{}", '"', ",", ":", "\\u001b"],
      ...["\x1b[2J", "\u202e", "__proto__", '"mux":', '"kind":"', "original"],
    ],
    maxBytes: 1200,
    run(input) {
      const read = reportIn(new TextDecoder().decode(input));
      if (read === undefined) return;
      for (
        const line of [...membersTableLines(read), ...membersDumpLines(read)]
      ) {
        assert.doesNotMatch(line, ACTING);
      }
      const json = visibleJson(read);
      assert.doesNotMatch(json, ACTING);
      assert.equal(visibleJson(readMembersReport(json)), json);
    },
  };
}

function reportIn(text: string) {
  try {
    return readMembersReport(text);
  } catch (error) {
    assert.ok(error instanceof ReportError, `untyped: ${error}`);
    return undefined;
  }
}
