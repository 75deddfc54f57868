import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import {
  type Libcrypto,
  openLibcrypto,
} from "../../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../../ffi/memory.ts";
import {
  OPENSSL_ARENA_BYTES,
  OpensslEngine,
} from "../../../src/crypto/openssl.ts";
import { whyNoLibcrypto } from "../../../lab/engines.ts";
import { testUnless } from "../../../lab/test_unless.ts";

const reason = whyNoLibcrypto();

function test(name: string, fn: () => void): void {
  testUnless([reason], name, fn);
}

function opened(): Libcrypto & Disposable {
  const libcrypto = openLibcrypto();
  return { ...libcrypto, [Symbol.dispose]: () => libcrypto.close() };
}

const SIZE = 100;
const COUNT = 32;

/** An engine on a clock, and how many digests libcrypto has finished. */
class Bench {
  readonly #libcrypto = openLibcrypto();
  readonly #arena = new Arena(65536);
  readonly #engine: OpensslEngine;
  readonly #at: number;
  now = 0;
  digests = 0;
  /** What a digest of libcrypto takes, on the clock. */
  price = 0;

  constructor() {
    const { symbols } = this.#libcrypto;
    const libcrypto = {
      ...this.#libcrypto,
      symbols: {
        ...symbols,
        SHA1_Final: (...args: Parameters<typeof symbols.SHA1_Final>) => {
          this.digests++;
          this.now += this.price;
          return symbols.SHA1_Final(...args);
        },
      },
    };
    // It reads the clock twice a turn, so that each way takes a second.
    const now = () => this.now += 0.5;
    this.#engine = new OpensslEngine(libcrypto, this.#arena, now);
    this.#at = this.#arena.take(COUNT * SIZE + 64, 64);
  }

  authenticate(count = COUNT): string {
    const { bytes } = this.#arena;
    const macAt = this.#at + 32;
    const mac = this.#engine.beginMac(bytes, count);
    for (let i = 0; i < count; i++) {
      mac.run(this.#at, this.#at + 64 + i * SIZE, SIZE, macAt);
    }
    mac.flush();
    return bytes.subarray(macAt, macAt + 20).toHex();
  }

  /** Digests of libcrypto for a batch, once the trial is over. */
  settled(): number {
    for (let turn = 0; turn < 1024; turn++) this.authenticate();
    this.digests = 0;
    this.authenticate();
    return this.digests;
  }

  [Symbol.dispose](): void {
    this.#libcrypto.close();
  }
}

test("HMACs go side by side where that takes less time", () => {
  using bench = new Bench();
  bench.price = 1;
  assert.equal(bench.settled(), 0);
});

test("HMACs go to libcrypto where that takes no longer", () => {
  using bench = new Bench();
  assert.equal(bench.settled(), 2 * COUNT);
});

test("few HMACs go to libcrypto in any case", () => {
  using bench = new Bench();
  bench.price = 1;
  bench.settled();
  bench.digests = 0;
  bench.authenticate(6);
  assert.equal(bench.digests, 12);
});

test("both ways come to the same", () => {
  using bench = new Bench();
  const found = new Set(Array.from({ length: 20 }, () => bench.authenticate()));
  assert.equal(found.size, 1);
});

test("HMACs are right on both ways, of more than lanes take, behind a batch given up", () => {
  using libcrypto = opened();
  const arena = new Arena(1 << 20);
  let now = 0;
  const engine = new OpensslEngine(libcrypto, arena, () => now++);
  const first = arena.take(150 * 2048, 64);
  for (let turn = 0; turn < 4; turn++) {
    const places = Array.from({ length: 150 }, (_, i) => first + i * 2048);
    const sizeOf = (i: number) => i % 3 === 0 ? 1410 : (i * 41) % 1600;
    const bytes = arena.slice(first, 150 * 2048);
    bytes.forEach((_, k) => bytes[k] = k * 7 + turn);
    engine.beginMac(arena.bytes, 150).run(first, first, 2048, first);
    const mac = engine.beginMac(arena.bytes, 150);
    const expected = places.map((at, i) =>
      createHmac("sha1", arena.slice(at, 20))
        .update(arena.slice(at + 32, sizeOf(i))).digest("hex")
    );
    for (const [i, at] of places.entries()) {
      mac.run(at, at + 32, sizeOf(i), at + 2000);
    }
    mac.flush();
    const found = places.map((at) => arena.slice(at + 2000, 20).toHex());
    assert.deepEqual(found, expected);
  }
});

test("the engine takes no more of its arena than it says", () => {
  const libcrypto = openLibcrypto();
  const arena = new Arena(2 * OPENSSL_ARENA_BYTES);
  const before = arena.free;
  new OpensslEngine(libcrypto, arena, () => 0);
  assert.ok(before - arena.free <= OPENSSL_ARENA_BYTES);
  libcrypto.close();
});
