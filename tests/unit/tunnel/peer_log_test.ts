import { strict as assert } from "node:assert";
import type { LogFields } from "../../../src/log/logger.ts";
import { PeerLog } from "../../../src/tunnel/peer_log.ts";
import { PeerWatch } from "../../../src/tunnel/peer_watch.ts";
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
