// The end of a tunnel that receives, and what must become of each datagram.
import { strict as assert } from "node:assert";
import { sameSockaddr, SOCKADDR_WORDS } from "../../ffi/net/sockaddr.ts";
import type { DatagramBatch } from "../../src/satp/batch.ts";
import type { SyncCryptoEngine } from "../../src/satp/engine.ts";
import {
  acceptsPayload,
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  readMux,
  readSenderId,
  readSeq,
  readU16,
} from "../../src/satp/header.ts";
import { applyCipher, authenticateBatch } from "../../src/satp/pipeline.ts";
import type { MasterSecrets } from "../../src/satp/secrets.ts";
import { Connections } from "../../src/tunnel/connection.ts";
import {
  type ConnectionTable,
  endpointWords,
} from "../../src/tunnel/connection_table.ts";
import {
  CONNECTION_COUNTERS,
  ConnectionCounter,
  PLANE_COUNTERS,
  PlaneCounter,
} from "../../src/tunnel/counters.ts";
import { Inbound } from "../../src/tunnel/inbound.ts";
import { LiveSettings } from "../../src/tunnel/live_settings.ts";
import { HEADROOM_BYTES } from "../../src/tunnel/outbound.ts";
import {
  question,
  type RefusedDatagram,
  RefusedSamples,
  SENDER_KINDS,
  type SenderKind,
} from "../../src/tunnel/refused_samples.ts";
import { SlowReplayWindows } from "../oracles/slow_replay_window.ts";
import { isSame } from "./bytes.ts";
import { SILENT_INBOUND } from "../fakes/silent_inbound.ts";

export const MUX = 5;
const DEVICE_TYPE = "tun";

/**
 * Datagrams of a batch: more are not all tried with other keys, but only a
 * sample of them.
 */
export const MOST_AT_A_TIME = 16;

/** Places of the keys. */
export const OLD = 0;
export const NEW = 1;
const KEY_SETS = 2;

const ALL_KINDS = SENDER_KINDS.reduce((sum, kind) => sum | kind, 0);

/** The peer, somebody else, and where the peer was said to be. */
const SOURCES = [0, 1, 2].map(sourceWords);
const AT_FIRST = 2;

/** A datagram under way, and what the peer had sealed, if it had. */
export interface Arriving {
  readonly bytes: Uint8Array;
  readonly plain: Uint8Array | undefined;
  readonly isOld: boolean;
  readonly source: number;
}

export interface ReceiverOptions {
  readonly windowSize: number;
  readonly fixedRemote: boolean;
  /** Whether the keys before open still. */
  readonly isKept: boolean;
  /** Whether samples of what is refused are asked for. */
  readonly isAsked: boolean;
}

interface Parts {
  readonly table: ConnectionTable;
  readonly engine: SyncCryptoEngine;
  readonly batch: DatagramBatch;
}

export class Receiver {
  readonly #parts: Parts;
  readonly #inbound: Inbound;
  /** Of the old and of the new keys. */
  readonly #slow: readonly SlowReplayWindows[];
  readonly #options: ReceiverOptions;
  /** Whether something has been opened with the new keys. */
  #isNewHeard = false;
  readonly #counters = new Float64Array(PLANE_COUNTERS);
  /** From where an authentic and new datagram has come. */
  readonly #heardFrom = new Set<number>();
  readonly #sizes = new Uint32Array(MOST_AT_A_TIME);
  readonly #samples: RefusedDatagram[] = [];
  readonly #kinds = new Set<SenderKind>();
  #received = 0;

  constructor(
    parts: Parts,
    [old, present]: readonly MasterSecrets[],
    options: ReceiverOptions,
  ) {
    this.#parts = parts;
    this.#options = options;
    const { windowSize, fixedRemote, isKept, isAsked } = options;
    this.#slow = Array.from(
      { length: KEY_SETS },
      () => new SlowReplayWindows(windowSize, 1024),
    );
    const { table, engine, batch } = parts;
    assert.ok(old !== undefined && present !== undefined);
    const role = "left";
    table.put(MUX, { role, secrets: isKept ? old : present, windowSize }, 0);
    if (isKept) {
      table.put(MUX, { role, secrets: present, windowSize }, 0, "keep");
    }
    table.ask(MUX, isAsked ? question(ALL_KINDS) : 0);
    table.endpoints.set(MUX, sourceWords(AT_FIRST), 0);
    table.counters.of(MUX).fill(0);
    this.#inbound = new Inbound(batch, {
      connections: new Connections(table, engine),
      counters: this.#counters,
      live: new LiveSettings(),
      log: SILENT_INBOUND,
      moved() {},
      samples: new RefusedSamples(table, (refused) => {
        this.#samples.push(refused);
      }),
      now: () => this.#received,
    }, { deviceType: DEVICE_TYPE, roaming: !fixedRemote, filter: undefined });
  }

  receive(arriving: readonly Arriving[]): void {
    const { batch, engine } = this.#parts;
    const inbound = this.#inbound;
    batch.count = arriving.length;
    for (const [i, { bytes, source }] of arriving.entries()) {
      batch.memory.set(bytes, batch.startOf(i));
      this.#sizes[i] = bytes.length;
      inbound.places.sources.set(SOURCES[source] ?? [], i * SOCKADDR_WORDS);
    }
    inbound.classify(this.#sizes);
    do authenticateBatch(engine, batch, inbound.schedules); while (
      inbound.retry()
    );
    inbound.judge();
    applyCipher(engine, batch);
    inbound.unwrap();
    inbound.release();
    const refused = arriving.filter((one, i) => !this.#check(one, i));
    for (const { kind, datagram } of this.#samples.splice(0)) {
      assert.ok(this.#options.isAsked && !this.#kinds.has(kind));
      this.#kinds.add(kind);
      assert.ok(refused.some(({ bytes }) => isSame(bytes, datagram)));
    }
    this.#received += arriving.length;
    this.#checkCounters();
    this.#checkEndpoint();
  }

  /** @returns Whether the peer has sealed it, be it heard before or not */
  #check({ bytes, plain, isOld, source }: Arriving, i: number): boolean {
    const { batch } = this.#parts;
    const isSealed = plain !== undefined && isAuthentic(bytes, plain) &&
      (!isOld || this.#options.isKept);
    const isOurs = isSealed &&
      this.#slow[isOld ? OLD : NEW]
          ?.accept(readSenderId(plain, 0), readSeq(plain, 0)) === true;
    // Who has gone on to new keys is not where something old comes from.
    if (isOurs && !(isOld && this.#isNewHeard)) this.#heardFrom.add(source);
    this.#isNewHeard ||= isOurs && !isOld;
    const isForDevice = isOurs && plain.length > HEADROOM_BYTES &&
      acceptsPayload(DEVICE_TYPE, readU16(plain, HEADER_BYTES));
    assert.equal(batch.wanted[i], isForDevice ? 1 : 0);
    if (!isForDevice) return isSealed;
    const opened = batch.memory.subarray(batch.startOf(i), batch.endOf(i));
    assert.ok(isSame(opened, plain));
    return isSealed;
  }

  /** Each datagram is counted, and only once. */
  #checkCounters(): void {
    const counters = this.#parts.table.counters.of(MUX);
    let sum = 0;
    for (const count of this.#counters) sum += count;
    for (let k = 0; k < CONNECTION_COUNTERS; k++) {
      if (k !== ConnectionCounter.BYTES_IN) sum += counters[k] ?? 0;
    }
    assert.equal(sum, this.#received);
    assert.equal(this.#counters[PlaneCounter.INTERNAL_ERROR], 0);
  }

  #checkEndpoint(): void {
    const { table } = this.#parts;
    const words = endpointWords();
    table.endpoints.copy(MUX, words, 0);
    const source = SOURCES.findIndex((one) => sameSockaddr(one, 0, words, 0));
    assert.ok(source === AT_FIRST || this.#heardFrom.has(source));
    if (this.#options.fixedRemote) assert.equal(source, AT_FIRST);
  }
}

function isAuthentic(bytes: Uint8Array, plain: Uint8Array): boolean {
  return bytes.length <= MAX_DATAGRAM_BYTES && plain.length >= HEADER_BYTES &&
    readMux(plain, 0) === MUX;
}

/** 127.0.0.1 and a port, as the kernel has it. */
function sourceWords(port: number): Uint32Array {
  return endpointWords().fill(2 | port << 24, 0, 1).fill(0x0100007f, 1, 2);
}
