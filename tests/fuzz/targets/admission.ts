// Places of clients that are not verified, under clients that come and go.
import { strict as assert } from "node:assert";
import { Admission } from "../../../src/net/admission.ts";
import { KnownMembers } from "../../../src/sync/known_members.ts";
import { type Origin, originOf } from "../../../src/net/origin.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const PLACES = 6;
const TURN_MS = 40;

/** Of a byte: what happens. */
const LEAVE = 1;
const WAIT = 2;
const VERIFY = 3;
const ASK = 4;
const KINDS = 8;

interface Client extends Origin {
  readonly number: number;
}

/** An input is a list of events: what happens, and to whom. */
export default function open(): Target {
  const flood = Array.from({ length: 40 }, (_, k) => [0, 4, 9, k >> 3, k & 7]);
  return {
    seeds: [
      Uint8Array.from(flood.flat()),
      Uint8Array.of(0, 0, 1, 1, 1, 3, 0, 0, 6, 1, 2, 2, 0, 90, 1, 0, 4, 6, 7),
    ],
    maxBytes: 96,
    run(input) {
      const bytes = new ByteReader(input);
      const run = new Run(bytes.byte() % 2 === 0 ? "oldest" : "newest");
      while (!bytes.isAtEnd) run.take(bytes);
      run.end();
    },
  };
}

class Run {
  readonly #members = new KnownMembers();
  readonly #admission: Admission<Client>;
  /** Who has a place, by what this was told. */
  readonly #inside = new Set<Client>();
  #now = 0;
  #number = 0;

  constructor(evicts: "oldest" | "newest") {
    this.#admission = new Admission({
      places: PLACES,
      isMember: (source) => this.#members.has(source),
      evicts,
      turn: { ms: TURN_MS, now: () => this.#now },
    });
  }

  take(bytes: ByteReader): void {
    const kind = bytes.byte() % KINDS;
    const admission = this.#admission;
    if (kind === WAIT) this.#now += bytes.byte();
    else if (kind === LEAVE) this.#leave(bytes.byte());
    else if (kind === VERIFY) this.#verify(bytes);
    else if (kind === ASK) {
      const asking = [...this.#inside].slice(0, bytes.byte() % 8);
      assert.ok(admission.first(asking).length <= 2);
    } else this.#enter(clientOf(bytes, this.#number++));
    assert.equal(admission.size, this.#inside.size);
    assert.ok(admission.size <= 2 * PLACES);
  }

  end(): void {
    assert.deepEqual(new Set(this.#admission), this.#inside);
  }

  #enter(client: Client): void {
    const before = this.#shareOf(client);
    const { isAdmitted, evicted } = this.#admission.enter(client, client);
    if (evicted !== undefined) {
      assert.ok(isAdmitted && this.#inside.delete(evicted));
      const isTurn = this.#now >= TURN_MS;
      const isNear = evicted.network === client.network;
      // Nobody loses a place to those who have as many, unless its time is over.
      assert.ok(isTurn || isNear || this.#shareOf(evicted) > before);
    }
    if (isAdmitted) this.#inside.add(client);
  }

  #leave(index: number): void {
    const clients = [...this.#inside];
    const client = clients[index % Math.max(1, clients.length)];
    if (client === undefined) return;
    this.#admission.leave(client);
    this.#inside.delete(client);
  }

  /** A source changes sides only while nobody of it is inside. */
  #verify(bytes: ByteReader): void {
    const { source } = clientOf(bytes, -1);
    const isInside = [...this.#inside].some((one) => one.source === source);
    if (!isInside) this.#members.verified(source);
  }

  /** How many have the network of a client, of those it competes with. */
  #shareOf({ network, source }: Client): number {
    const isMember = this.#members.has(source);
    return [...this.#inside].filter((one) =>
      one.network === network && this.#members.has(one.source) === isMember
    ).length;
  }
}

/** Few hosts of few networks, users, and link-local ones. */
function clientOf(bytes: ByteReader, number: number): Client {
  const kind = bytes.byte() % 4;
  const network = bytes.byte() % 8;
  const host = bytes.byte() % 4;
  if (kind === 0) {
    const path = "/run/anytun.sock";
    return { number, ...originOf({ remote: { path }, uid: network }) };
  }
  const address = kind === 1
    ? { family: 6, bytes: new Uint8Array(16).fill(network, 5, 6) } as const
    : kind === 2
    ? {
      family: 6,
      bytes: Uint8Array.of(0xfe, 0x80, ...Array(14).fill(host)),
    } as const
    : { family: 4, bytes: Uint8Array.of(192, 0, network, host) } as const;
  return { number, ...originOf({ remote: { address, port: 9 } }) };
}
