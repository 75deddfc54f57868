import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ConnectionKeys,
  ConnectionTable,
  type KeysSnapshot,
} from "../../src/tunnel/connection_table.ts";
import { NumberSpaces } from "../../src/tunnel/number_spaces.ts";
import { SEQ_RANGE } from "../../src/satp/header.ts";
import { SenderIds, STALE } from "../../src/tunnel/numbers.ts";

const MUXES = [2, 3, 5];
const OWN_MUX = 3;
const IDS = [7, 9, 11];

/** What the main thread and the threads that send do, in any order. */
type Step =
  | {
    readonly does: "put";
    readonly mux: number;
    readonly key: number;
    readonly role: "left" | "right";
    /** Where a member says that it is. */
    readonly seq: number;
  }
  | { readonly does: "remove"; readonly mux: number }
  /** A thread looks at a connection, and keeps what it saw. */
  | { readonly does: "look"; readonly thread: number; readonly mux: number }
  /** A thread takes numbers with the keys that it saw last. */
  | {
    readonly does: "take";
    readonly thread: number;
    readonly mux: number;
    readonly count: number;
  };

const mux = fc.constantFrom(...MUXES);
const thread = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constant("put" as const),
    mux,
    key: fc.nat(2),
    role: fc.constantFrom<"left" | "right">("left", "right"),
    seq: fc.oneof(
      fc.nat(5),
      fc.constantFrom(SEQ_RANGE / 2, SEQ_RANGE - 3, SEQ_RANGE - 1),
    ),
  }),
  fc.record({ does: fc.constant("remove" as const), mux }),
  fc.record({ does: fc.constant("look" as const), thread, mux }),
  fc.record({
    does: fc.constant("take" as const),
    thread,
    mux,
    count: fc.integer({ min: 1, max: 4 }),
  }),
);

function keysOf(key: number, role: "left" | "right"): ConnectionKeys {
  const secrets = {
    key: new Uint8Array(16).fill(key),
    salt: new Uint8Array(14).fill(key),
  };
  return { role, secrets, windowSize: 0 };
}

/** One run over a table; fails when a key stream is used twice. */
class Run {
  readonly #table: ConnectionTable;
  readonly #headerMux: (mux: number) => number;
  readonly #ids: SenderIds;
  readonly #seen = new Map<string, KeysSnapshot>();
  readonly #used = new Set<string>();

  constructor(routing: boolean, ids: readonly number[]) {
    this.#headerMux = (mux) => routing ? mux : OWN_MUX;
    const spaces = new NumberSpaces({ headerMux: this.#headerMux });
    this.#table = new ConnectionTable(ConnectionTable.allocate(), spaces);
    this.#ids = new SenderIds(ids);
  }

  do(step: Step): void {
    const { mux } = step;
    if (step.does === "put") {
      const keys = keysOf(step.key, step.role);
      if (!this.#table.accepts(mux, keys, step.seq)) return;
      this.#table.put(mux, keys, step.seq);
    } else if (step.does === "remove") {
      this.#table.remove(mux);
      assert.equal(this.#table.exists(mux), false);
    } else if (step.does === "look") {
      if (!this.#table.exists(mux)) return;
      this.#seen.set(`${step.thread} ${mux}`, this.#table.keys(mux));
    } else {
      const keys = this.#seen.get(`${step.thread} ${mux}`);
      if (keys !== undefined) this.#take(mux, keys, step.count);
    }
  }

  /** Whether the connection that would send a packet now has numbers. */
  checkSender(): void {
    const table = this.#table;
    const muxes = this.#headerMux(2) === 2
      ? table.liveMuxes()
      : [table.lowestMux()].filter((mux) => mux >= 0);
    for (const mux of muxes) {
      const { epoch } = table.keys(mux);
      const first = table.reserve(mux, epoch, 0, this.#ids.limit);
      assert.notEqual(first, STALE, `connection ${mux} gets no numbers`);
    }
  }

  #take(mux: number, { epoch, role, secrets }: KeysSnapshot, count: number) {
    const { limit } = this.#ids;
    const first = this.#table.reserve(mux, epoch, count, limit);
    if (first < 0) return;
    for (let number = first; number < first + count; number++) {
      const id = this.#ids.of(Math.floor(number / SEQ_RANGE));
      const stream = `key ${secrets.key[0]} ${role}, mux ` +
        `${this.#headerMux(mux)}, sender ${id}, number ${number % SEQ_RANGE}`;
      assert.ok(!this.#used.has(stream), `used twice: ${stream}`);
      this.#used.add(stream);
    }
  }
}

for (const routing of [true, false]) {
  Deno.test(`no key stream is used twice ${routing ? "with" : "without"} routing, whatever the threads do`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: IDS.length }),
        fc.array(step, { size: "large" }),
        (ids, steps) => {
          const run = new Run(routing, IDS.slice(0, ids));
          for (const step of steps) {
            run.do(step);
            run.checkSender();
          }
        },
      ),
      { numRuns: 60 },
    );
  });
}
