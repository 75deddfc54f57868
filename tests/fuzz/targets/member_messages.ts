// What members say of themselves and of what they have accepted.
import { strict as assert } from "node:assert";
import { SyncError } from "../../../src/sync/error.ts";
import { formatFloors, parseFloors } from "../../../src/sync/floor_message.ts";
import { latin1 } from "../../../src/sync/latin1.ts";
import {
  formatFacts,
  formatServing,
  parseFacts,
  parseServing,
} from "../../../src/sync/view_message.ts";
import type { Target } from "../target.ts";

const encoder = new TextEncoder();

const FACTS = {
  name: "edge1/vpn",
  version: "0.4.0",
  health: "fit",
  since: 1_700_000_000_000,
  inStep: true,
};

/** The first byte says which of them the rest is. */
export default function open(): Target {
  const floor = { mux: 5, print: 0xfedcba98, senderId: 2, highest: 0xffffffff };
  const clients = [{ mux: 5, since: 1_700_000_000 }, { mux: 65535, since: 0 }];
  const seed = (kind: number, body: string) =>
    encoder.encode(String.fromCharCode(kind) + body);
  return {
    seeds: [
      seed(0, formatFloors([floor, { ...floor, mux: 6 }])),
      seed(1, formatFacts(FACTS)),
      seed(2, formatServing({ isWhole: true, clients })),
      seed(2, formatServing({ isWhole: false, clients })),
    ],
    words: ["all ", "new ", '"name":', '"since":', "true", "\\u00", "AAAA"],
    maxBytes: 200,
    run(input) {
      const body = latin1(input.subarray(1));
      switch ((input[0] ?? 0) % 3) {
        case 0:
          return sameAgain(body, parseFloors, formatFloors);
        case 1:
          return sameAgain(body, parseFacts, formatFacts);
        default:
          return sameAgain(body, parseServing, formatServing);
      }
    },
  };
}

/** Whatever was read can be told, as a line of ASCII, and read again. */
function sameAgain<T>(
  body: string,
  parse: (body: string) => T,
  format: (message: T) => string,
): void {
  let message: T;
  try {
    message = parse(body);
  } catch (error) {
    return assert.ok(error instanceof SyncError, `untyped: ${error}`);
  }
  const text = format(message);
  assert.match(text, /^[ -~]*$/);
  assert.deepEqual(parse(text), message);
}
