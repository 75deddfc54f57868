// Clients of a fleet that come, change, share and go, in any order.
import { strict as assert } from "node:assert";
import { digestWith } from "../../../src/crypto/webcrypto.ts";
import {
  fleetClient,
  type FleetWorld,
} from "../../../src/daemon/fleet_client.ts";
import { FleetClients } from "../../../src/daemon/fleet_clients.ts";
import {
  formatKeptClients,
  readKeptClients,
} from "../../../src/daemon/kept_clients.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { formatChainFile } from "../../../src/satp/key_chain_file.ts";
import { muxOf } from "../../../src/fleet/record_text.ts";
import { decodeFramed } from "../../../src/sync/decode.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { keyOf, subjectOf } from "../../../src/sync/extension.ts";
import { Ledger } from "../../../src/sync/ledger.ts";
import { ServedRecords } from "../../../src/sync/served_records.ts";
import { Slices } from "../../../src/sync/slices.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { instanceOf, MeshLink, MeshMember } from "../../fakes/sync_mesh.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const MINUTE_MS = 60_000;
const NAMES = ["a", "b", "c", "d"];
/** Few muxes and networks, so that clients get in each other's way. */
const TEXTS = [
  "mux 1\nkd-prf null\n",
  "mux 1\nkd-prf null\nroute 10.0.0.0/8\n",
  "mux 2\nkd-prf null\nroute 10.0.0.0/8,10.1.0.0/16\n",
  "mux 2\nkd-prf null\nrole right\nroute 10.1.0.0/16\n",
  "mux 3\nkd-prf null\nroute 10.0.0.0/8\n",
  `mux 3\nkey ${"00".repeat(16)}\nsalt ${"00".repeat(14)}\n`,
  "mux 65536\n",
  "#",
];
const CHAIN = new TextDecoder().decode(formatChainFile({
  ...{ interval: 60, epoch: 1000, key: new Uint8Array(32).fill(1) },
}));
const CHAINS = [CHAIN, "no chain"];

interface Parts {
  readonly text?: string;
  readonly chain?: string;
  readonly created?: number;
}

/** Each change is two bytes: what it is and of whom, and the text. */
export default function open(): Target {
  return {
    seeds: [
      [0, 1, 1, 4, 6, 0, 17, 0, 6, 0],
      [0, 1, 1, 1, 2, 2, 6, 0, 16, 0],
      [0, 5, 8, 0, 6, 0, 7, 0, 24, 0],
      [0, 2, 4, 0, 1, 3, 5, 1, 5, 0],
      [8, 7, 0, 0, 6, 0, 5, 1, 8, 0],
    ].map((bytes) => Uint8Array.from(bytes)),
    maxBytes: 60,
    async run(input) {
      const fleet = new Fleet();
      const bytes = new ByteReader(input);
      while (!bytes.isAtEnd) await fleet.change(bytes.byte(), bytes.byte());
      await fleet.assertSettled();
    },
  };
}

class Fleet {
  /** As the store has them. */
  readonly #store = new Map<string, Parts>();
  readonly #member: MeshMember;
  readonly #link: MeshLink;
  readonly #clients: FleetClients;
  readonly #clock = { now: 1000 * MINUTE_MS };
  readonly #world: FleetWorld;
  #revision = 0;
  #isFollowed = false;

  constructor() {
    const clock = this.#clock;
    this.#world = {
      digest: digestWith(crypto.subtle),
      now: () => clock.now,
      runtime: { deno: "2.9.6", v8: "15.0" },
    };
    const served: ServedRecords = new ServedRecords(
      new Ledger({
        instance: instanceOf("c"),
        now: () => clock.now,
        elapsed: () => clock.now,
      }),
      {
        snapshot: () => this.#clients.snapshot(),
        isStale: () => false,
        push: () => {},
        wake: () => {},
        slices: new Slices({
          delay: () => Promise.resolve(),
          now: () => clock.now,
        }),
      },
    );
    const limits = { burst: 1, perSecond: 1 };
    const log = new RateLimitedLog(recordingLog(), limits, () => 0);
    this.#clients = new FleetClients("/p", served, this.#world, log);
    this.#clients.open();
    this.#member = new MeshMember("a", clock);
    this.#link = new MeshLink(this.#member, { feed: served.feed });
  }

  async change(what: number, which: number): Promise<void> {
    const client = NAMES[what >> 3 & 3] ?? "a";
    const before = this.#store.get(client) ?? {};
    const { chain: _, ...rest } = before;
    switch (what & 7) {
      case 0:
      case 1: {
        const text = TEXTS[which % TEXTS.length] ?? "";
        const created = before.created ?? ++this.#revision;
        this.#store.set(client, { ...before, text, created });
        return this.#clients.put({ client, part: "client" }, text, created);
      }
      case 2: {
        const chain = CHAINS[which % CHAINS.length] ?? "";
        this.#store.set(client, { ...before, chain });
        return this.#clients.put({ client, part: "chain" }, chain, 0);
      }
      case 3:
        this.#store.set(client, rest);
        return this.#clients.delete({ client, part: "chain" });
      case 4:
        this.#store.delete(client);
        this.#clients.delete({ client, part: "client" });
        return this.#clients.delete({ client, part: "chain" });
      case 5:
        // Nobody has watched: all is read again. What it lacks is gone, or held.
        this.#store.delete(client);
        this.#clients.replace(this.#store, which % 2 === 0);
        return;
      case 6:
        await this.#clients.settle();
        return;
      default:
        this.#clock.now += which * 1000;
        this.#clients.advance();
        return this.#follow();
    }
  }

  /** A member that comes again is told the rest. */
  #follow(): void {
    if (this.#isFollowed) this.#link.cut();
    this.#isFollowed = true;
    this.#link.connect();
    this.#link.carry();
  }

  async assertSettled(): Promise<void> {
    await this.#clients.settle();
    assert.equal(await this.#clients.settle(), 0);
    for (const [name, parts] of this.#store) {
      await this.#assertServed(name, parts);
    }
    this.#assertTold();
    this.#assertKept();
  }

  /** What is of use is served, unless somebody older has its mux. */
  async #assertServed(name: string, parts: Parts): Promise<void> {
    const { text, chain, created = 0 } = parts;
    if (text === undefined) return;
    const found = { text, chain, created };
    const used = this.#clients.used();
    try {
      await fleetClient(name, name, found, this.#world);
    } catch {
      return;
    }
    const own = used.get(name);
    if (own?.text === text && own.chain === chain) return;
    const owner = [...used].find(([, other]) =>
      muxOf(other.text) === muxOf(text)
    );
    assert.ok(owner !== undefined, `${name} is not served`);
    assert.ok(owner[0] !== name && owner[1].created <= created);
  }

  /** A start after this one knows who is served, and who of them is held. */
  #assertKept(): void {
    const { kept } = this.#clients;
    assert.deepEqual(readKeptClients(formatKeptClients(kept)), kept);
    for (const name of kept.held) assert.ok(!this.#store.get(name)?.text);
  }

  /** A member has a record of each connection and network, and no other. */
  #assertTold(): void {
    if (this.#isFollowed) this.#link.carry();
    else this.#follow();
    const texts = new Set(this.#clients.snapshot());
    const records = [...texts].map((text) => decodeFramed(text))
      .filter((record) => record !== undefined);
    assert.equal(records.length, texts.size);
    const muxes = records.filter(({ command }) => command === "connection")
      .map(({ mux }) => mux);
    assert.equal(new Set(muxes).size, muxes.length, "a mux of two clients");
    const told = this.#member.records;
    for (const [key, record] of told) {
      assert.ok(texts.has(encodeRecord(record)), `${key} is not served`);
    }
    for (const record of records) {
      const key = keyOf(subjectOf(record));
      assert.ok(told.has(key), `${key} is not told`);
    }
  }
}
