// What arrives at the socket, up to the packet for the device: forged, sealed by
// the peer, changed on its way, recorded and sent again, from anywhere.
import { strict as assert } from "node:assert";
import { sameSockaddr, SOCKADDR_WORDS } from "../../../ffi/net/sockaddr.ts";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type { SyncCryptoEngine } from "../../../src/satp/engine.ts";
import {
  acceptsPayload,
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  readMux,
  readSenderId,
  readSeq,
  readU16,
} from "../../../src/satp/header.ts";
import {
  type KeySchedule,
  schedulePair,
} from "../../../src/satp/key_derivation.ts";
import {
  effectiveParameters,
  type SatpParameters,
} from "../../../src/satp/params.ts";
import {
  applyCipher,
  authenticateBatch,
  sealBatch,
} from "../../../src/satp/pipeline.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import {
  CONNECTION_COUNTERS,
  ConnectionCounter,
  PLANE_COUNTERS,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import { Inbound } from "../../../src/tunnel/inbound.ts";
import { HEADROOM_BYTES } from "../../../src/tunnel/outbound.ts";
import { SlowReplayWindows } from "../../oracles/slow_replay_window.ts";
import { fromHex, loadVectors } from "../../vectors/vectors.ts";
import { ByteReader, isSame } from "../bytes.ts";
import type { Target } from "../target.ts";

const MUX = 5;
const WINDOWS = [0, 1, 8, 64];
const CAPACITY = 24;
const SLOT_BYTES = 1664;
const DEVICE_TYPE = "tun";

/** Of a byte, what becomes of a datagram before it arrives. */
const FORGED = 1;
const CHANGED = 2;
const AGAIN = 4;
const ELSEWHERE = 8;
const SPOILT = 16;
const NEXT_BATCH = 32;
const LONG = 64;

const SECRETS = {
  key: new Uint8Array(16).fill(7),
  salt: new Uint8Array(14).fill(9),
};

/** The peer, somebody else, and where the peer was said to be. */
const SOURCES = [0, 1, 2].map(sourceWords);
const AT_FIRST = 2;

interface RejectVectors {
  readonly runs: readonly {
    readonly receive: readonly { readonly datagram_hex: string }[];
  }[];
}

/** A datagram under way, and what the peer had sealed, if it had. */
interface Arriving {
  readonly bytes: Uint8Array;
  readonly plain: Uint8Array | undefined;
  readonly source: number;
}

/**
 * An input is a window, and a list of datagrams: what becomes of each, its
 * length, and header, payload type and payload.
 */
export default function open(): Target {
  const sealing = effectiveParameters({
    cipher: "aes-ctr-128",
    kdPrf: "aes-ctr-128",
    authAlgo: "sha1",
    tagLength: 10,
  });
  const bare = effectiveParameters({
    cipher: "null",
    kdPrf: "null",
    authAlgo: "null",
    tagLength: 0,
  });
  const rigs = [new Rig(sealing), new Rig(bare)];
  const { runs } = loadVectors<RejectVectors>("rejects.json");
  const recorded = runs.flatMap(({ receive }) =>
    receive.map(({ datagram_hex }) => fromHex(datagram_hex))
  );
  const packet = (seq: number, flags: number) => [
    ...[flags, 0, 24, 0, 0, 0, seq, 0, 1, 0, MUX, 8, 0],
    ...[0x45, 0, 0, 14, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  ];
  const flood = Array.from({ length: 20 }, (_, k) => packet(k % 3, k % 10));
  return {
    seeds: [
      Uint8Array.of(4, ...packet(1, 0), ...packet(2, 0), ...packet(2, 0)),
      Uint8Array.of(6, ...packet(9, 0), ...packet(8, ELSEWHERE), AGAIN, 0),
      Uint8Array.of(5, ...flood.flat()),
      Uint8Array.of(6, ...packet(1, CHANGED), ...packet(2, SPOILT)),
      Uint8Array.of(0, ...packet(1, FORGED), ...packet(2, LONG)),
      ...recorded.filter(({ length }) => length < 200).slice(0, 20).map((it) =>
        Uint8Array.of(7, FORGED, it.length >> 8, it.length, ...it)
      ),
    ],
    maxBytes: 200,
    run(input) {
      const bytes = new ByteReader(input);
      const flags = bytes.byte();
      const rig = rigs[flags & 1];
      rig?.run(bytes, WINDOWS[flags >> 1 & 3] ?? 0, (flags & 8) !== 0);
    },
  };
}

/** One end of a tunnel under some parameters, and its peer, who seals. */
class Rig {
  readonly #params: SatpParameters;
  readonly #engine: SyncCryptoEngine;
  readonly #batch: DatagramBatch;
  readonly #peer: DatagramBatch;
  readonly #peerSchedules: readonly KeySchedule[];
  readonly #table = new ConnectionTable(ConnectionTable.allocate());

  constructor(params: SatpParameters) {
    const room = DatagramBatch.slottedBytes(params, CAPACITY, SLOT_BYTES);
    const { engine, bytes, freeAt } = openBuiltin(2 * room + 64);
    const batch = (at: number) =>
      DatagramBatch.slotted(bytes, params, CAPACITY, SLOT_BYTES, at);
    this.#params = params;
    this.#engine = engine;
    this.#batch = batch(freeAt);
    this.#peer = batch(Math.ceil((freeAt + room) / 64) * 64);
    const secrets = this.#secrets();
    const schedules = schedulePair(engine, secrets, "right");
    assert.ok(!(schedules instanceof Promise));
    this.#peerSchedules = Array(CAPACITY).fill(schedules.seal);
  }

  run(bytes: ByteReader, windowSize: number, fixedRemote: boolean): void {
    const arriving = this.#arriving(bytes);
    const receiver = new Receiver(
      { table: this.#table, engine: this.#engine, batch: this.#batch },
      { role: "left", secrets: this.#secrets(), windowSize },
      fixedRemote,
    );
    for (const batch of arriving) receiver.receive(batch);
  }

  #secrets() {
    const isNull = this.#params.kdPrf === "null";
    return isNull
      ? { key: new Uint8Array(), salt: new Uint8Array() }
      : { key: SECRETS.key.slice(), salt: SECRETS.salt };
  }

  /** All batches that an input means, `CAPACITY` datagrams at most. */
  #arriving(bytes: ByteReader): Arriving[][] {
    const plans: { flags: number; size: number; plain: Uint8Array }[] = [];
    while (!bytes.isAtEnd && plans.length < CAPACITY) {
      const flags = bytes.byte();
      const size = bytes.u16() % SLOT_BYTES;
      plans.push({ flags, size, plain: bytes.take(Math.min(size, 64)) });
    }
    for (const [i, { flags, plain }] of plans.entries()) {
      const isSealed = (flags & FORGED) === 0 && (i === 0 || !(flags & AGAIN));
      this.#add(i, plain, flags, isSealed);
    }
    this.#peer.count = plans.length;
    sealBatch(this.#engine, this.#peer, this.#peerSchedules);
    const batches: Arriving[][] = [[]];
    let before: Arriving | undefined;
    for (const [i, { flags, size, plain }] of plans.entries()) {
      if (flags & NEXT_BATCH) batches.push([]);
      before = flags & AGAIN && before !== undefined
        ? { ...before, source: flags & ELSEWHERE ? 1 : 0 }
        : this.#arrive(i, flags, size, plain);
      batches.at(-1)?.push(before);
    }
    return batches;
  }

  #add(i: number, plain: Uint8Array, flags: number, isSealed: boolean): void {
    const batch = this.#peer;
    batch.wanted[i] = isSealed ? 1 : 0;
    if (!isSealed) return;
    const whole = padded(plain, flags & LONG ? 1500 : HEADROOM_BYTES);
    batch.memory.set(whole, batch.startOf(i));
    batch.size[i] = whole.length;
  }

  #arrive(
    i: number,
    flags: number,
    size: number,
    plain: Uint8Array,
  ): Arriving {
    const source = flags & ELSEWHERE ? 1 : 0;
    const { tagLength, authAlgo } = this.#params;
    const isBare = authAlgo === "null";
    if (flags & FORGED) {
      const bytes = padded(plain, size);
      return { bytes, plain: isBare ? bytes : undefined, source };
    }
    const peer = this.#peer;
    const sealed = peer.memory.slice(
      peer.startOf(i),
      peer.endOf(i) + tagLength,
    );
    const intact = padded(plain, flags & LONG ? 1500 : HEADROOM_BYTES);
    if (flags & SPOILT) {
      const at = size % sealed.length;
      sealed[at] = (sealed[at] ?? 0) ^ 1;
    }
    const bytes = flags & CHANGED
      ? sealed.subarray(0, size % sealed.length)
      : sealed;
    const isIntact = (flags & (SPOILT | CHANGED)) === 0;
    if (isBare) return { bytes, plain: bytes, source };
    return { bytes, plain: isIntact ? intact : undefined, source };
  }
}

interface Parts {
  readonly table: ConnectionTable;
  readonly engine: SyncCryptoEngine;
  readonly batch: DatagramBatch;
}

/** The end that receives, and what must become of each datagram. */
class Receiver {
  readonly #parts: Parts;
  readonly #inbound: Inbound;
  readonly #slow: SlowReplayWindows;
  readonly #fixedRemote: boolean;
  readonly #counters = new Float64Array(PLANE_COUNTERS);
  /** From where an authentic and new datagram has come. */
  readonly #heardFrom = new Set<number>();
  readonly #sizes = new Uint32Array(CAPACITY);
  #received = 0;

  constructor(
    parts: Parts,
    keys: Parameters<ConnectionTable["put"]>[1],
    fixedRemote: boolean,
  ) {
    this.#parts = parts;
    this.#fixedRemote = fixedRemote;
    this.#slow = new SlowReplayWindows(keys.windowSize, 1024);
    const { table, engine, batch } = parts;
    table.put(MUX, keys, 0);
    table.setEndpoint(MUX, sourceWords(AT_FIRST), 0);
    table.counters(MUX).fill(0);
    this.#inbound = new Inbound(batch, {
      connections: new Connections(table, engine),
      deviceType: DEVICE_TYPE,
      roaming: !fixedRemote,
      filter: undefined,
      counters: this.#counters,
      events: {
        wrongTag() {},
        wrongSource() {},
        replay() {},
        endpointChanged() {},
        batchFailed: (error) => assert.fail(String(error)),
      },
      moved() {},
      now: () => this.#received,
    });
  }

  receive(arriving: readonly Arriving[]): void {
    const { batch, engine } = this.#parts;
    const inbound = this.#inbound;
    batch.count = arriving.length;
    for (const [i, { bytes, source }] of arriving.entries()) {
      batch.memory.set(bytes, batch.startOf(i));
      this.#sizes[i] = bytes.length;
      inbound.sources.set(SOURCES[source] ?? [], i * SOCKADDR_WORDS);
    }
    inbound.classify(this.#sizes);
    authenticateBatch(engine, batch, inbound.schedules);
    inbound.judge();
    applyCipher(engine, batch);
    inbound.unwrap();
    inbound.release();
    for (const [i, one] of arriving.entries()) this.#check(one, i);
    this.#received += arriving.length;
    this.#checkCounters();
    this.#checkEndpoint();
  }

  #check({ bytes, plain, source }: Arriving, i: number): void {
    const { batch } = this.#parts;
    const isOurs = plain !== undefined && isAuthentic(bytes, plain) &&
      this.#slow.accept(readSenderId(plain, 0), readSeq(plain, 0));
    if (isOurs) this.#heardFrom.add(source);
    const isForDevice = isOurs && plain.length > HEADROOM_BYTES &&
      acceptsPayload(DEVICE_TYPE, readU16(plain, HEADER_BYTES));
    assert.equal(batch.wanted[i], isForDevice ? 1 : 0);
    if (!isForDevice) return;
    const opened = batch.memory.subarray(batch.startOf(i), batch.endOf(i));
    assert.ok(isSame(opened, plain));
  }

  /** Each datagram is counted, and only once. */
  #checkCounters(): void {
    const counters = this.#parts.table.counters(MUX);
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
    table.copyEndpoint(MUX, words, 0);
    const source = SOURCES.findIndex((one) => sameSockaddr(one, 0, words, 0));
    assert.ok(source === AT_FIRST || this.#heardFrom.has(source));
    if (this.#fixedRemote) assert.equal(source, AT_FIRST);
  }
}

function isAuthentic(bytes: Uint8Array, plain: Uint8Array): boolean {
  return bytes.length <= MAX_DATAGRAM_BYTES && plain.length >= HEADER_BYTES &&
    readMux(plain, 0) === MUX;
}

/** With zeros up to a size. */
function padded(bytes: Uint8Array, size: number): Uint8Array {
  const all = new Uint8Array(Math.max(size, bytes.length));
  all.set(bytes);
  return all;
}

/** 127.0.0.1 and a port, as the kernel has it. */
function sourceWords(port: number): Uint32Array {
  return endpointWords().fill(2 | port << 24, 0, 1).fill(0x0100007f, 1, 2);
}
