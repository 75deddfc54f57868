// What members of ours say to each other beside the records of the originals:
// hello, and a stream of changes, removals and messages.
import { strict as assert } from "node:assert";
import { SyncError } from "../../../src/sync/error.ts";
import {
  formatHello,
  formatMessage,
  keyOf,
  parseHello,
  parseMessage,
  subjectOf,
} from "../../../src/sync/extension.ts";
import { Following } from "../../../src/sync/following.ts";
import { RecordReader } from "../../../src/sync/framing.ts";
import { latin1 } from "../../../src/sync/latin1.ts";
import {
  instanceOf,
  type MeshClock,
  MeshMember,
} from "../../fakes/sync_mesh.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";
import type { Target } from "../target.ts";

/** Of the first byte: a client says it. */
const HELLO = 1;
const NOW = 1_700_000_000_000;
/** How far ahead a version may be that is believed, in ms. */
const AHEAD_MS = 300_000;

const encoder = new TextEncoder();

export default function open(): Target {
  const origin = instanceOf("a");
  const stamp = { version: NOW, origin };
  const records = [connectionRecord(), routeRecord("10.0.0.0/8", 5)];
  const table = [
    formatMessage({ word: "welcome", instance: origin, since: 0, version: 1 }),
    ...records.map((record) =>
      formatMessage({ word: "put", revision: 1, stamp, record })
    ),
    formatMessage({ word: "all", revision: 2 }),
    ...records.map((record) =>
      formatMessage({
        ...{ word: "gone", revision: 3, stamp },
        subject: subjectOf(record),
      })
    ),
    formatMessage({ word: "say", kind: "kind", body: "body" }),
  ].join("");
  const hello = formatHello({ from: origin, known: origin, revision: 7 });
  return {
    seeds: [
      encoder.encode(`\0${table}`),
      encoder.encode(`${String.fromCharCode(HELLO)}${hello.slice(6)}`),
    ],
    words: [
      ...["put ", "gone ", "all ", "some ", "at ", "say ", "welcome 1 "],
      ...["connection 5", "route 4 10.0.0.0 8", origin, ` ${NOW} `],
      ...["9007199254740991", "9007199254740992", " - ", " 0 "],
    ],
    maxBytes: 1200,
    run(input) {
      const bytes = input.subarray(1);
      if ((input[0] ?? 0) & HELLO) readHello(bytes);
      else follow(bytes);
    },
  };
}

function readHello(bytes: Uint8Array): void {
  const hello = parseHello(latin1(bytes));
  if (hello === undefined) return;
  // Whatever it asks for, a server has an answer that a client can follow.
  const clock = { now: NOW };
  const server = new MeshMember("b", clock);
  server.state(connectionRecord());
  const cursor = server.feed.enter();
  cursor.begin(hello);
  const text = cursor.take(1 << 16);
  const following = new Following("b", hello.from, new MeshMember("c", clock));
  const frames = [...new RecordReader().push(encoder.encode(text))];
  const since = hello.known === server.ledger.instance ? hello.revision : 0;
  if (since === 0 || since > server.ledger.revision) {
    for (const frame of frames) following.take(frame);
    assert.ok(following.hasAll);
  }
}

function follow(bytes: Uint8Array): void {
  const clock: MeshClock = { now: NOW };
  const member = new MeshMember("c", clock);
  const following = new Following("a", member.ledger.instance, member);
  try {
    for (const frame of new RecordReader().push(bytes)) {
      assertSame(frame);
      following.take(frame);
    }
  } catch (error) {
    assert.ok(error instanceof SyncError, `untyped: ${error}`);
  }
  for (const record of member.records.values()) {
    const entry = member.ledger.get(subjectOf(record));
    assert.ok(entry, "what is in force is in the ledger");
    assert.ok((entry.stamp?.version ?? 0) <= NOW + AHEAD_MS);
  }
}

/** What was read can be written, and reads the same. */
function assertSame(frame: Uint8Array): void {
  const message = parseMessage(frame);
  if (message === undefined) return;
  const text = formatMessage(message);
  assert.deepEqual(parseMessage(encoder.encode(text.slice(6))), message);
  if (message.word === "gone") assert.match(keyOf(message.subject), /^[ -~]+$/);
}
