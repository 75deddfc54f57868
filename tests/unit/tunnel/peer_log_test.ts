import { strict as assert } from "node:assert";
import type { LogFields } from "../../../src/log/logger.ts";
import { PeerLog } from "../../../src/tunnel/peer_log.ts";
import { type PeerNews, PeerWatch } from "../../../src/tunnel/peer_watch.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

/** What the log says of looks at peers, by mux and where they were heard. */
function logging() {
  const recording = recordingLog();
  const fields: LogFields[] = [];
  const notice = (text: string, own: LogFields = {}) => {
    fields.push(own);
    recording.notice(text);
  };
  const log = new PeerLog({ ...recording, notice }, () => 0);
  const watch = new PeerWatch(1000, (news) => log.tell(news));
  let now = 0;
  const look = (...peers: (readonly [number, string])[]) => {
    now += 100;
    watch.look(
      peers.map(([mux, remote]) => ({ mux, remote, lastHeard: now })),
      now,
    );
  };
  return { look, log, fields, lines: recording.lines };
}

const TEN = Array.from({ length: 10 }, (_, mux) => mux);

Deno.test("ten clients that register at once make ten lines, each with mux and endpoint", () => {
  const { look, fields, lines } = logging();
  look(...TEN.map((mux) => [mux, `192.0.2.${mux}:4444`] as const));
  assert.equal(lines.length, 10);
  for (const mux of TEN) {
    const endpoint = `192.0.2.${mux}:4444`;
    assert.ok(lines[mux]?.includes(`connection ${mux} is heard for the first`));
    assert.ok(lines[mux]?.endsWith(endpoint));
    assert.equal(fields[mux]?.event, "heard");
    assert.equal(fields[mux]?.mux, mux);
    assert.equal(fields[mux]?.endpoint, endpoint);
  }
});

Deno.test("a peer that moves without end fills no log, and hides no other", () => {
  const { look, log, lines } = logging();
  look([1, "a"], [2, "b"]);
  lines.length = 0;
  for (let k = 0; k < 100; k++) look([1, `a${k}`], [2, "b"]);
  assert.equal(lines.length, 5);
  look([1, "a99"], [2, "c"]);
  assert.match(lines.at(-1) ?? "", /connection 2 autodetected .* changed c$/);
  log.flush();
  assert.match(lines.at(-1) ?? "", /held back 95 lines: moved of connection 1/);
});

/** A line of news, with the fields that it has in JSON. */
function told(news: Partial<PeerNews>) {
  const seen: { line: string; fields: LogFields }[] = [];
  const at = (level: string) => (text: string, fields: LogFields = {}) =>
    void seen.push({ line: `${level}: ${text}`, fields });
  const logger = {
    ...{ error: at("ERROR"), warning: at("WARNING"), notice: at("NOTICE") },
    ...{ info: at("INFO"), debug: at("DEBUG") },
  };
  new PeerLog(logger, () => 0).tell({
    ...{ change: "heard", mux: 7, remote: "a", before: "a" },
    ...{ silence: undefined, wasUnanswered: false },
    ...news,
  });
  return seen[0] ?? assert.fail("nothing was told");
}

Deno.test("a silence that nobody minds is information, and others are a notice", () => {
  const silent = told({ change: "silent", silence: 12_300 });
  const at12 = "INFO: connection 7 is silent for 12 s; it was at a";
  assert.equal(silent.line, at12);
  const { cause, ...fields } = silent.fields;
  assert.equal(cause, undefined);
  assert.deepEqual(fields, {
    ...{ event: "silent", mux: 7, endpoint: "a", silentSeconds: 12 },
  });
  const unanswered = told({ change: "unanswered" });
  assert.match(unanswered.line, /^NOTICE: .*heard nothing from a so far/);
  assert.equal(unanswered.fields.cause, "peer-silent");
  assert.equal(unanswered.fields.event, "silent");
  const again = { change: "again", silence: 60_000 } as const;
  assert.match(told(again).line, /^INFO: .*heard again after 60 s, from a$/);
  const missed = told({ ...again, wasUnanswered: true });
  assert.match(missed.line, /^NOTICE: /);
  assert.equal(missed.fields.event, "heard-again");
});

Deno.test("where a peer is heard first is said by what was known of it", () => {
  for (
    const [before, text] of [
      ["a", "is heard for the first time, from a"],
      [undefined, "is heard for the first time: autodetected remote host a"],
      [
        "b",
        "is heard for the first time, and not from b: autodetected remote " +
        "host ip changed a",
      ],
    ] as const
  ) {
    assert.equal(told({ before }).line, `NOTICE: connection 7 ${text}`);
  }
});
