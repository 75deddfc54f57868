import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { openIpsecMb } from "../../../ffi/crypto/ipsec_mb.ts";
import type { Libcrypto } from "../../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../../ffi/memory.ts";
import {
  IPSEC_MB_ARENA_BYTES,
  IpsecMbEngine,
} from "../../../src/crypto/ipsec_mb.ts";
import { OpensslEngine } from "../../../src/crypto/openssl.ts";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type { SyncCryptoEngine } from "../../../src/satp/engine.ts";
import { HEADER_BYTES, MAX_DATAGRAM_BYTES } from "../../../src/satp/header.ts";
import {
  type CipherName,
  effectiveParameters,
  type SatpParameters,
} from "../../../src/satp/params.ts";
import {
  applyCipher,
  authenticateBatch,
  sealBatch,
} from "../../../src/satp/pipeline.ts";
import { KeySchedule } from "../../../src/satp/key_derivation.ts";
import { whyNoIpsecMb } from "../../../lab/engines.ts";
import { libcryptoTest } from "../../fakes/with_libcrypto.ts";

const reason = whyNoIpsecMb();

/** More than one burst of the library takes. */
const CAPACITY = 150;
const SLOT_BYTES = MAX_DATAGRAM_BYTES + 20;
const KEY = Uint8Array.fromHex("2b7e151628aed2a6abf7158809cf4f3c");
const PARAMS: SatpParameters = {
  cipher: "aes-ctr-128",
  kdPrf: "aes-ctr-128",
  authAlgo: "sha1",
  tagLength: 10,
};
const SALT = Uint8Array.fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfd");

/** What becomes of a datagram. */
interface Fate {
  readonly seq: number;
  /** Bytes of header and ciphertext. */
  readonly size: number;
  readonly wanted: boolean;
  /** Whether a bit of it changes on the way. */
  readonly spoilt: boolean;
}

/** An engine, and a place for the batches that it is tried with. */
class Bench {
  readonly engine: SyncCryptoEngine;
  readonly #arena: Arena;
  readonly #at: number;

  constructor(newEngine: (arena: Arena) => SyncCryptoEngine) {
    this.#arena = new Arena(1 << 20);
    this.engine = newEngine(this.#arena);
    this.#at = this.#arena.take(this.#arena.free - 64, 64);
  }

  /** Lays a batch over the one before. */
  lay(params: SatpParameters, fates: readonly Fate[]): DatagramBatch {
    const { bytes, view } = this.#arena;
    const at = this.#at;
    const batch = DatagramBatch.slotted(
      bytes,
      params,
      CAPACITY,
      SLOT_BYTES,
      at,
    );
    batch.count = fates.length;
    for (const [i, { seq, size, wanted }] of fates.entries()) {
      const at = batch.at[i] ?? 0;
      bytes.fill(i, at, at + SLOT_BYTES);
      view.setUint32(at, seq);
      batch.size[i] = size;
      batch.wanted[i] = wanted ? 1 : 0;
    }
    return batch;
  }
}

function openBenches(libcrypto: Libcrypto): Disposable & {
  readonly sideBySide: Bench;
  readonly oneByOne: Bench;
} {
  const ipsecMb = openIpsecMb();
  return {
    sideBySide: new Bench((arena) =>
      new IpsecMbEngine(ipsecMb, libcrypto, arena)
    ),
    oneByOne: new Bench((arena) => new OpensslEngine(libcrypto, arena)),
    [Symbol.dispose]: () => ipsecMb.close(),
  };
}

function test(name: string, body: (libcrypto: Libcrypto) => void): void {
  libcryptoTest([reason], name, body);
}

/** What an engine has made of a batch. */
interface Outcome {
  /** All slots when the batch was sealed. */
  readonly sealed: Buffer;
  /** All slots when it was opened again. */
  readonly opened: Buffer;
  /** Which datagrams were authentic. */
  readonly wanted: Uint8Array;
}

function sealAndOpen(
  bench: Bench,
  params: SatpParameters,
  fates: readonly Fate[],
): Outcome {
  const { engine } = bench;
  const batch = bench.lay(params, fates);
  const { memory, at, size, wanted } = batch;
  const [from = 0] = at;
  const slots = () =>
    Buffer.from(memory.slice(from, from + CAPACITY * SLOT_BYTES));
  const master = params.kdPrf === "null" ? null : engine.importMasterKey(KEY);
  const schedule = new KeySchedule(master, SALT, "left");
  const schedules = fates.map(() => schedule);
  sealBatch(engine, batch, schedules);
  const sealed = slots();
  for (const [i, { spoilt }] of fates.entries()) {
    const last = (at[i] ?? 0) + (size[i] ?? 0) - 1;
    if (spoilt) memory[last] = (memory[last] ?? 0) ^ 1;
  }
  authenticateBatch(engine, batch, schedules);
  applyCipher(engine, batch);
  master?.close();
  return { sealed, opened: slots(), wanted: wanted.slice() };
}

const parameters = fc.record<SatpParameters>({
  cipher: fc.constantFrom<CipherName>(
    "null",
    "aes-ctr-128",
    "aes-ctr-192",
    "aes-ctr-256",
  ),
  kdPrf: fc.constantFrom("null", "aes-ctr-128"),
  authAlgo: fc.constantFrom("null", "sha1"),
  tagLength: fc.nat(20),
}).map(effectiveParameters);

const fates = fc.record<Fate>({
  seq: fc.nat(0xffffffff),
  size: fc.integer({ min: HEADER_BYTES, max: MAX_DATAGRAM_BYTES }),
  wanted: fc.boolean(),
  spoilt: fc.boolean(),
});

const batches = fc.oneof(
  fc.array(fates, { maxLength: 20 }),
  fc.array(fates, { maxLength: CAPACITY, size: "max" }),
);

test("side by side comes to the same as one by one", (libcrypto) => {
  using both = openBenches(libcrypto);
  const property = fc.property(parameters, batches, (params, fates) => {
    const found = sealAndOpen(both.sideBySide, params, fates);
    const expected = sealAndOpen(both.oneByOne, params, fates);
    assert.deepEqual(found.wanted, expected.wanted);
    assert.ok(found.sealed.equals(expected.sealed), "sealed");
    assert.ok(found.opened.equals(expected.opened), "opened");
  });
  fc.assert(property, { numRuns: 100 });
});

test("few datagrams are authenticated one by one, and many side by side", (libcrypto) => {
  let ciphers = 0;
  let macs = 0;
  const { symbols } = libcrypto;
  using both = openBenches({
    ...libcrypto,
    symbols: {
      ...symbols,
      EVP_EncryptInit_ex: (
        ...args
      ) => (ciphers++, symbols.EVP_EncryptInit_ex(...args)),
      SHA1_Final: (...args) => (macs++, symbols.SHA1_Final(...args)),
    },
  });
  const seal = (count: number) => {
    ciphers = macs = 0;
    const fates = Array.from(
      { length: count },
      (_, seq): Fate => ({ seq, size: 100, wanted: true, spoilt: false }),
    );
    const { engine } = both.sideBySide;
    const batch = both.sideBySide.lay(PARAMS, fates);
    sealBatch(engine, batch, []);
    return { ciphers, macs };
  };
  // Two digests make an HMAC.
  assert.deepEqual(seal(2), { ciphers: 0, macs: 4 });
  assert.deepEqual(seal(64), { ciphers: 0, macs: 0 });
});

test("the engine takes no more of its arena than it says", (libcrypto) => {
  const ipsecMb = openIpsecMb();
  const arena = new Arena(2 * IPSEC_MB_ARENA_BYTES);
  const before = arena.free;
  new IpsecMbEngine(ipsecMb, libcrypto, arena);
  ipsecMb.close();
  assert.ok(before - arena.free <= IPSEC_MB_ARENA_BYTES);
});

test("a memory outside the arena is refused, for few messages and for many", (libcrypto) => {
  using both = openBenches(libcrypto);
  const { engine } = both.sideBySide;
  const memory = new Uint8Array(1024);
  const refusal = {
    name: "TypeError",
    message: "Cannot work on a memory outside the engine's arena",
  };
  const master = engine.importMasterKey(KEY);
  assert.throws(() => master.encrypt(memory, 0, 1), refusal);
  master.close();
  assert.throws(() => engine.beginCipher(memory, 16), refusal);
  for (const count of [1, CAPACITY]) {
    assert.throws(() => engine.beginMac(memory, count), refusal);
  }
});
