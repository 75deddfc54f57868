/**
 * The source of a control daemon, with a store and a disk that outlive it.
 *
 * @module
 */
import { strict as assert } from "node:assert";
import { until } from "../../lab/until.ts";
import type { SourceOptions } from "../../src/config/source.ts";
import { digestWith } from "../../src/crypto/webcrypto.ts";
import { StoreSource } from "../../src/daemon/store_source.ts";
import { FleetClients } from "../../src/daemon/fleet_clients.ts";
import { KeptClients } from "../../src/daemon/kept_clients.ts";
import { EtcdClient } from "../../src/fleet/etcd_client.ts";
import { RateLimitedLog } from "../../src/log/rate_limited_log.ts";
import { parseControlFile } from "../../src/sync/control_file.ts";
import { decodeFramed } from "../../src/sync/decode.ts";
import type { SyncRecord } from "../../src/sync/record.ts";
import { FakeEtcd } from "./fake_etcd.ts";
import { ManualClock } from "./manual_clock.ts";
import { recordingLog } from "./recording_log.ts";

export const SOURCE: SourceOptions = {
  origins: ["http://a:2379", "http://b:2379"],
  prefix: "/fleet",
  text: "http://a,b/fleet",
  login: undefined,
  tls: undefined,
};
export const KEY = "000102030405060708090a0b0c0d0e0f";
const SALT = "000102030405060708090a0b0c0d";
/** The minute in which all of it begins, as that of a key chain. */
export const FIRST = 1000;

/** A client, as its record says it. */
export function recordOf(mux: number, ...more: readonly string[]): string {
  return [`mux ${mux}`, `key ${KEY}`, `salt ${SALT}`, ...more].join("\n");
}

export const keyOf = (name: string): string => `/fleet/clients/${name}`;

/** A disk that may be full. */
export class Disk {
  readonly descriptor = 7;
  isFull = false;
  file: Uint8Array<ArrayBuffer> | undefined;

  read(): Uint8Array<ArrayBuffer> | undefined {
    return this.file;
  }

  replace(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): void {
    if (this.isFull) throw new Error("no space left");
    for (const bytes of files.values()) this.file = bytes;
  }

  pathOf(name: string): string {
    return `state/${name}`;
  }

  close(): void {}
}

/** A control daemon's source, with a store and a disk that outlive it. */
export class StoreSourceRig implements AsyncDisposable {
  readonly logger = recordingLog();
  readonly clock = new ManualClock();
  /** `+` or `-`, and what it is. */
  readonly told: string[] = [];
  /** What a service manager shows. */
  readonly shown: string[] = [];
  readonly source: StoreSource;
  readonly #stop = new AbortController();
  #over: Promise<void> = Promise.resolve();

  constructor(
    readonly etcd: FakeEtcd,
    readonly disk: Disk,
    login?: FakeEtcd["login"],
    source = SOURCE,
  ) {
    const { clock, logger, told } = this;
    const limited = new RateLimitedLog(
      logger,
      { burst: 5, perSecond: 0.1 },
      clock.now,
    );
    const note = (sign: string) => (text: string) => {
      told.push(...recordsIn(text).map((one) => sign + wordsOf(one)));
    };
    const world = {
      delay: clock.delay,
      elapsed: clock.now,
      now: () => FIRST * 60_000 + clock.now(),
      digest: digestWith(crypto.subtle),
      runtime: Deno.version,
    };
    const clients = new FleetClients(
      SOURCE.prefix,
      { push: note("+"), remove: note("-") },
      world,
      limited,
    );
    const kept = new KeptClients(
      disk,
      "clients-x",
      () => clients.kept,
      world,
      logger,
    );
    const timeout = () => new AbortController().signal;
    const { origins } = SOURCE;
    const client = new EtcdClient({ origins, login, post: etcd.post, timeout });
    const setup = { source, clients, kept, folder: disk };
    const showManager = (text: string) => void this.shown.push(text);
    const frame = { logger, limited, showManager };
    this.source = new StoreSource({ ...setup, ...frame }, false, {
      delay: clock.delay,
      random: (words: Uint32Array) => void words.fill(3),
      openStore: () => ({ client, [Symbol.dispose]: () => {} }),
    });
  }

  /** One that has read all, and watches. */
  static async following(
    etcd: FakeEtcd,
    disk = new Disk(),
  ): Promise<StoreSourceRig> {
    const rig = await new StoreSourceRig(etcd, disk).start();
    await rig.run().watched();
    return rig;
  }

  async start(): Promise<this> {
    await this.source.start({
      stop: this.#stop.signal,
      waiting: () => {},
      fail: assert.fail,
    });
    return this;
  }

  run(): this {
    this.#over = this.source.run(this.#stop.signal);
    return this;
  }

  /** As they are served. */
  get served(): readonly string[] {
    return this.source.snapshot().flatMap(recordsIn).map(wordsOf);
  }

  until(is: () => boolean): Promise<void> {
    return until(() => `${is}; ${this.logger.lines.join("\n")}`, 30, is);
  }

  /** Lets time pass in steps, as others wait anew. */
  async pass(seconds: number): Promise<void> {
    for (let k = 0; k < seconds * 4; k++) {
      await this.clock.pass(250);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  watched(): Promise<void> {
    return this.until(() => this.etcd.watchers > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#over;
    this.source.close();
    // A daemon that ends waits for no store: the test does.
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise((resolve) => setTimeout(resolve));
      if (this.etcd.inFlight > 0) quiet = 0;
    }
  }
}

function recordsIn(text: string): SyncRecord[] {
  return parseControlFile(new TextEncoder().encode(text))
    .flatMap(({ text }) => decodeFramed(text) ?? []);
}

function wordsOf(record: SyncRecord): string {
  if (record.command === "connection") {
    return `${record.mux} ${record.secrets.key.toHex().slice(0, 6)}`;
  }
  const { network, prefixLength, mux } = record;
  const text = "bytes" in network ? network.bytes.join(".") : "";
  return `${mux} ${text}/${prefixLength}`;
}

/** A store with the clients `c1` to that number. */
export function clusterOf(count: number): FakeEtcd {
  const etcd = new FakeEtcd();
  for (let mux = 1; mux <= count; mux++) {
    etcd.put(keyOf(`c${mux}`), recordOf(mux));
  }
  return etcd;
}
