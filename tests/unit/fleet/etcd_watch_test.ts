import { strict as assert } from "node:assert";
import {
  CompactedError,
  WatchLines,
  watchMessage,
  watchMessages,
} from "../../../src/fleet/etcd_watch.ts";
import { toText } from "../../../src/fleet/etcd_json.ts";

const header = { cluster_id: "7", revision: "12" };
const put = {
  kv: {
    key: toText("/p/clients/a"),
    value: toText("mux 1 ü"),
    create_revision: "3",
    mod_revision: "12",
  },
};
const gone = {
  type: "DELETE",
  kv: { key: toText("/p/clients/b"), mod_revision: "12" },
};
const LINES = [
  { result: { header, created: true } },
  { result: { header, events: [put, gone] } },
  { result: { header } },
].map((line) => `${JSON.stringify(line)}\n`).join("");

Deno.test("changes are the same wherever what comes is cut", async () => {
  const bytes = new TextEncoder().encode(LINES);
  const whole = await messagesOf([bytes]);
  assert.deepEqual(whole.map(({ events }) => events.length), [0, 2, 0]);
  assert.deepEqual(whole.map((one) => one.isProgress), [false, false, true]);
  const [first, second] = whole[1]?.events ?? [];
  assert.equal(first?.value, "mux 1 ü");
  assert.deepEqual([first?.isDeleted, second?.isDeleted], [false, true]);
  for (let size = 1; size < 40; size++) {
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) {
      pieces.push(bytes.subarray(at, at + size));
    }
    assert.deepEqual(await messagesOf(pieces), whole);
  }
});

async function messagesOf(pieces: readonly Uint8Array[]) {
  const messages = [];
  try {
    for await (const message of watchMessages(pieces)) messages.push(message);
  } catch (error) {
    assert.match(String(error), /the store has ended the watch$/);
  }
  return messages;
}

Deno.test("a watch from what the store has forgotten is told apart", () => {
  const line = JSON.stringify({
    result: { header, canceled: true, compact_revision: "10" },
  });
  assert.throws(() => watchMessage(line), CompactedError);
});

Deno.test("the reason that a store gives for the end is shown", () => {
  const line = JSON.stringify({
    result: { header, canceled: true, cancel_reason: "permission denied\n" },
  });
  assert.throws(() => watchMessage(line), {
    name: "StoreError",
    message: "the store has ended the watch: permission denied\\u000a",
  });
  const error = { grpc_code: 14, message: "etcdserver: no leader" };
  assert.throws(() => watchMessage(JSON.stringify({ error })), {
    message: "the store has ended the watch: etcdserver: no leader",
    code: 14,
  });
});

Deno.test("what is no change is refused", () => {
  const results = [
    ...[undefined, [], "x", { header: {} }, { header, events: {} }],
    { header, events: [{ type: "MOVE", kv: put.kv }] },
    { header, events: [{ kv: { ...put.kv, mod_revision: "-1" } }] },
    { header, events: [{}] },
  ];
  for (const line of ["", "{", "[]", "null", ...results.map(lineOf)]) {
    assert.throws(() => watchMessage(line), { name: "StoreError" }, line);
  }
});

function lineOf(result: unknown): string {
  return JSON.stringify({ result });
}

Deno.test("a line that has no end is not kept, and those before it are told", () => {
  const lines = new WatchLines(10);
  const read = (text: string) => lines.push(new TextEncoder().encode(text));
  assert.deepEqual([...read("12345\n\n123")], ["12345"]);
  const more = read("4567890\n12345678901\n");
  assert.equal(more.next().value, "1234567890");
  assert.throws(() => more.next(), CompactedError);
});
