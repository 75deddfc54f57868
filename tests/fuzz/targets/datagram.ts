// What arrives at the socket, up to the packet for the device: forged, sealed by
// the peer, changed on its way, recorded and sent again, from anywhere.
import { strict as assert } from "node:assert";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type { SyncCryptoEngine } from "../../../src/satp/engine.ts";
import {
  type KeySchedule,
  schedulePair,
} from "../../../src/satp/key_derivation.ts";
import {
  effectiveParameters,
  type SatpParameters,
} from "../../../src/satp/params.ts";
import type { MasterSecrets } from "../../../src/satp/secrets.ts";
import { sealBatch } from "../../../src/satp/pipeline.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { HEADROOM_BYTES } from "../../../src/tunnel/outbound.ts";
import { fromHex, loadVectors } from "../../vectors/vectors.ts";
import { ByteReader } from "../bytes.ts";
import {
  type Arriving,
  MOST_AT_A_TIME,
  MUX,
  NEW,
  OLD,
  Receiver,
  type ReceiverOptions,
} from "../receiver.ts";
import type { Target } from "../target.ts";

const WINDOWS = [0, 1, 8, 64];
const CAPACITY = 24;
const SLOT_BYTES = 1664;

/** Of a byte, what becomes of a datagram before it arrives. */
const FORGED = 1;
const CHANGED = 2;
const AGAIN = 4;
const ELSEWHERE = 8;
const SPOILT = 16;
const NEXT_BATCH = 32;
const LONG = 64;
/** It is sealed with the keys that the connection had before. */
const OLD_KEYS = 128;

/** Of the first byte: those keys open still. */
const KEPT = 16;
/** Of the first byte: samples of what is refused are asked for. */
const ASKED = 32;

/** Of the old keys and of the new ones. */
const SECRETS = [7, 8].map((byte) => ({
  key: new Uint8Array(16).fill(byte),
  salt: new Uint8Array(14).fill(byte + 2),
}));
const NO_SECRETS = { key: new Uint8Array(), salt: new Uint8Array() };

interface RejectVectors {
  readonly runs: readonly {
    readonly receive: readonly { readonly datagram_hex: string }[];
  }[];
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
      Uint8Array.of(
        ...[KEPT | 6, ...packet(1, OLD_KEYS), ...packet(1, 0), AGAIN, 0, 0],
        ...[...packet(2, OLD_KEYS | ELSEWHERE), ...packet(3, OLD_KEYS)],
      ),
      Uint8Array.of(ASKED | 6, ...packet(1, OLD_KEYS), ...packet(1, 0)),
      ...recorded.filter(({ length }) => length < 200).slice(0, 20).map((it) =>
        Uint8Array.of(7, FORGED, it.length >> 8, it.length, ...it)
      ),
    ],
    maxBytes: 200,
    run(input) {
      const bytes = new ByteReader(input);
      const flags = bytes.byte();
      rigs[flags & 1]?.run(bytes, {
        windowSize: WINDOWS[flags >> 1 & 3] ?? 0,
        fixedRemote: (flags & 8) !== 0,
        isKept: (flags & KEPT) !== 0,
        isAsked: (flags & ASKED) !== 0,
      });
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
  /** Of each datagram. */
  readonly #sealing: KeySchedule[] = [];
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
    this.#peerSchedules = this.#secrets().map((secrets) => {
      const schedules = schedulePair(engine, secrets, "right");
      assert.ok(!(schedules instanceof Promise));
      return schedules.seal;
    });
  }

  run(bytes: ByteReader, options: ReceiverOptions): void {
    const arriving = this.#arriving(bytes);
    const receiver = new Receiver(
      { table: this.#table, engine: this.#engine, batch: this.#batch },
      this.#secrets(),
      options,
    );
    for (const batch of arriving) receiver.receive(batch);
  }

  /** The old ones and the new ones; they are given away. */
  #secrets(): readonly MasterSecrets[] {
    const isNull = this.#params.kdPrf === "null";
    return SECRETS.map((secrets) =>
      isNull ? NO_SECRETS : { key: secrets.key.slice(), salt: secrets.salt }
    );
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
    sealBatch(this.#engine, this.#peer, this.#sealing);
    const batches: Arriving[][] = [[]];
    let before: Arriving | undefined;
    for (const [i, { flags, size, plain }] of plans.entries()) {
      const isFull = (batches.at(-1)?.length ?? 0) === MOST_AT_A_TIME;
      if (flags & NEXT_BATCH || isFull) batches.push([]);
      before = flags & AGAIN && before !== undefined
        ? { ...before, source: flags & ELSEWHERE ? 1 : 0 }
        : this.#arrive(i, flags, size, plain);
      batches.at(-1)?.push(before);
    }
    return batches;
  }

  #add(i: number, plain: Uint8Array, flags: number, isSealed: boolean): void {
    const batch = this.#peer;
    const schedule = this.#peerSchedules[flags & OLD_KEYS ? OLD : NEW];
    assert.ok(schedule !== undefined);
    this.#sealing[i] = schedule;
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
    // Without a tag nobody can tell.
    const isOld = (flags & OLD_KEYS) !== 0 && !isBare;
    if (flags & FORGED) {
      const bytes = padded(plain, size);
      return { bytes, plain: isBare ? bytes : undefined, isOld, source };
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
    if (isBare) return { bytes, plain: bytes, isOld, source };
    return { bytes, plain: isIntact ? intact : undefined, isOld, source };
  }
}

/** With zeros up to a size. */
function padded(bytes: Uint8Array, size: number): Uint8Array {
  const all = new Uint8Array(Math.max(size, bytes.length));
  all.set(bytes);
  return all;
}
