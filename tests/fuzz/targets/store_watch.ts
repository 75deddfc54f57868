// Changes that a store tells, in pieces.
import { strict as assert } from "node:assert";
import { StoreError } from "../../../src/fleet/store_error.ts";
import { WatchLines, watchMessage } from "../../../src/fleet/etcd_watch.ts";
import { recordName } from "../../../src/fleet/layout.ts";
import type { Target } from "../target.ts";

const header = { cluster_id: "7", revision: "12" };
const put = {
  kv: { key: btoa("/p/clients/a"), value: "bXV4IDE=", mod_revision: "12" },
};
const gone = {
  type: "DELETE",
  kv: { key: btoa("/p/clients/a/chain"), mod_revision: "12" },
};
const MAX_LINE = 500;

export default function open(): Target {
  return {
    seeds: [
      { result: { header, created: true } },
      { result: { header, events: [put, gone] } },
      { result: { header } },
      { result: { header, canceled: true, compact_revision: "3" } },
      { error: { grpc_code: 14, message: "no leader" } },
    ].map((line) => new TextEncoder().encode(`${JSON.stringify(line)}\n`)),
    words: ["\n", '"events":', '"kv":', "{}", "[]", "null", '"-1"', "\xff"],
    maxBytes: 900,
    run(input) {
      const whole = linesOf([input]);
      const size = 1 + input.length % 7;
      const pieces = Array.from(
        { length: Math.ceil(input.length / size) },
        (_, k) => input.subarray(k * size, (k + 1) * size),
      );
      assert.deepEqual(linesOf(pieces), whole);
      for (const line of whole) check(line);
    },
  };
}

function check(line: string): void {
  const message = orFault(() => watchMessage(line));
  for (const { key, modRevision, value } of message?.events ?? []) {
    assert.ok(Number.isSafeInteger(modRevision) && modRevision >= 0);
    assert.equal(typeof value, "string");
    const name = recordName("/p", key);
    if (name !== undefined) assert.match(name.client, /^[\w][\w.-]{0,62}$/);
  }
}

function linesOf(pieces: readonly Uint8Array[]): string[] {
  const lines = new WatchLines(MAX_LINE);
  const all: string[] = [];
  orFault(() => {
    for (const piece of pieces) {
      for (const line of lines.push(piece)) all.push(line);
    }
  });
  return all;
}

function orFault<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof StoreError, `untyped: ${error}`);
    assert.doesNotMatch(error.message, /\p{Cc}/u);
    return undefined;
  }
}
