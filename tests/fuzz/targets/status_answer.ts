// What anytun health, drain and undrain are answered, in pieces, by whoever
// listens there.
import { strict as assert } from "node:assert";
import { visible } from "../../../src/log/visible.ts";
import { HEALTH_STATES } from "../../../src/health/state_machine.ts";
import type { DuplexStream } from "../../../src/net/duplex_stream.ts";
import { askChange, askHealth, askReport } from "../../../src/status/client.ts";
import { DrainWatch } from "../../../src/status/drain_watch.ts";
import { ReportError } from "../../../src/status/fields.ts";
import { fitnessLine, type HealthReport } from "../../../src/status/report.ts";
import { DRAIN_PATH, TOTALS_PATH } from "../../../src/status/site.ts";
import { sampleReport } from "../../samples/report.ts";
import type { Target } from "../target.ts";

/** Control characters but tabs, and those that turn the writing. */
const ACTING = /(?!\t)\p{Cc}|\p{Cf}/u;

const HEAD = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
const DRAINING: HealthReport = {
  state: "draining",
  reasons: ["drained by root"],
  since: 5,
};

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

function inChunks(text: string): string {
  const texts = [text.slice(0, 9), text.slice(9), ""];
  return texts.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`)
    .join("");
}

/** What was asked, by the first byte. */
const QUESTIONS = ["health", "change", "drained"] as const;

export default function open(): Target {
  const seed = (question: number, body: string, head = HEAD) =>
    new TextEncoder().encode(String.fromCharCode(question) + head + body);
  const report = sampleReport({
    ...{ connections: [], health: DRAINING, totals: { packets_in_total: 7 } },
  });
  return {
    seeds: [
      seed(0, JSON.stringify(DRAINING)),
      seed(0, '{"state":"fit","reasons":[],"since":1}'),
      seed(0, "not fit", "HTTP/1.1 503 No\r\n\r\n"),
      seed(1, "drained: \u00e9\u2028\n"),
      seed(2, JSON.stringify(report)),
      seed(0, inChunks(JSON.stringify(DRAINING)), CHUNKED),
    ],
    words: [
      ...["null", "-1", "1e999", "[]", "{}", "\\u001b", "\\u202e", "\\ud800"],
      ...[...HEALTH_STATES, '"reasons":', '"packets_out_total":', "\r\n\r\n"],
    ],
    maxBytes: 900,
    async run(input) {
      const question = QUESTIONS[(input[0] ?? 0) % QUESTIONS.length];
      const answer = input.subarray(1);
      const whole = await shown(question, answer, Infinity);
      assert.doesNotMatch(whole, ACTING);
      const size = 1 + answer.length % 7;
      assert.equal(await shown(question, answer, size), whole);
    },
  };
}

/** What an operator sees. */
async function shown(
  question: (typeof QUESTIONS)[number] | undefined,
  answer: Uint8Array,
  size: number,
): Promise<string> {
  const stream = streamOf(answer, size);
  try {
    if (question === "change") {
      return visible(await askChange(stream, never, DRAIN_PATH));
    }
    if (question === "health") {
      const health = await askHealth(stream, never);
      assert.ok(HEALTH_STATES.includes(health.state));
      return visible(fitnessLine(health));
    }
    const report = await askReport(stream, never, TOTALS_PATH);
    if (report.health.state !== "draining") return "no more";
    const watch = new DrainWatch();
    watch.look(sampleReport({ health: DRAINING, connections: [] }));
    const { isEmpty, text } = watch.look(report);
    if (isEmpty) assert.match(text, /^empty: no packet for \d/);
    return visible(text);
  } catch (error) {
    assert.ok(error instanceof ReportError, `untyped: ${error}`);
    return visible(error.message);
  }
}

/** No answer is late. */
function never(): Promise<void> {
  return new Promise(() => {});
}

function streamOf(answer: Uint8Array, size: number): DuplexStream {
  let at = 0;
  return {
    read(into) {
      if (at >= answer.length) return Promise.resolve(null);
      const piece = answer.subarray(at, at + Math.min(size, into.length));
      into.set(piece);
      at += piece.length;
      return Promise.resolve(piece.length);
    },
    write: (bytes) => Promise.resolve(bytes.length),
    close() {},
  };
}
