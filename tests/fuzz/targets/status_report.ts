// What anytun status is answered, by whoever listens there.
import { strict as assert } from "node:assert";
import { bodyOf } from "../../../src/status/answer.ts";
import { dumpLines } from "../../../src/status/dump.ts";
import { metricsLines } from "../../../src/status/metrics.ts";
import { ReportError } from "../../../src/status/fields.ts";
import { readReport } from "../../../src/status/read_report.ts";
import { reportJson } from "../../../src/status/report_json.ts";
import { tableLines } from "../../../src/status/table.ts";
import { visibleJson } from "../../../src/log/visible.ts";
import {
  connectionReport,
  sampleReport,
  samplesOf,
  toldReport,
} from "../../samples/report.ts";
import type { Target } from "../target.ts";

/** Control characters but tabs, and those that turn the writing. */
const ACTING = /(?!\t)\p{Cc}|\p{Cf}/u;

const HEAD = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";

export default function open(): Target {
  const report = sampleReport({
    connections: [connectionReport({ routes: ["10.0.0.0/8"] })],
    cluster: { inStep: true, servers: [], clients: ["a"], passedOver: 1 },
    announcement: {
      ...{ addresses: ["192.0.2.1/32"], device: "any0" },
      ...{ isAnnounced: true, isGuarded: false, drainTime: 10 },
    },
    totals: { wrong_tag_total: 1 },
  });
  const bare = sampleReport({ connections: [], device: null });
  return {
    seeds: [report, bare].map((one) =>
      new TextEncoder().encode(HEAD + JSON.stringify(one))
    ),
    words: [
      ...["null", "true", "-1", "1e999", "[]", "{}", '"', ",", ":", "\\u001b"],
      ...["\x1b[2J", "\u202e", "__proto__", '"mux":', '"name":"', "\\ud800"],
    ],
    maxBytes: 1400,
    async run(input) {
      const read = reportIn(input);
      if (read === undefined) return;
      for (const line of [...tableLines(read, read), ...dumpLines(read)]) {
        assert.doesNotMatch(line, ACTING);
      }
      const json = visibleJson(read);
      assert.doesNotMatch(json, ACTING);
      assert.equal(visibleJson(readReport(json)), json);
      const { connections, totals, ...summary } = read;
      const texts: string[] = [];
      for await (const part of reportJson(toldReport(read))) {
        texts.push(...part);
      }
      assert.equal(
        texts.join(""),
        JSON.stringify({ ...summary, connections, totals }),
      );
      for (const line of metricsLines(read, samplesOf(read))) {
        assert.ok(line.endsWith("\n"));
      }
    },
  };
}

function reportIn(answer: Uint8Array) {
  try {
    return readReport(bodyOf(answer));
  } catch (error) {
    assert.ok(error instanceof ReportError, `untyped: ${error}`);
    return undefined;
  }
}
