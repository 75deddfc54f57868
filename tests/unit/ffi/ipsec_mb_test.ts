import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCipheriv, createHmac } from "node:crypto";
import fc from "fast-check";
import { type AesKeySize, HmacSha1 } from "../../../ffi/crypto/openssl.ts";
import { CtrBurst, HmacBurst } from "../../../ffi/crypto/burst_jobs.ts";
import {
  IpsecMb,
  type IpsecMbLibrary,
  MAX_BURST,
  openIpsecMb,
} from "../../../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../../ffi/memory.ts";
import { whyNoIpsecMb } from "../../../lab/engines.ts";
import { testUnless } from "../../../lab/test_unless.ts";

const reason = whyNoIpsecMb();
const ARENA_BYTES = 1 << 20;

/** What the tests work with. */
interface Bench {
  readonly library: IpsecMb;
  readonly arena: Arena;
  readonly ctr: CtrBurst;
  readonly hmac: HmacBurst;
  /** Where the part of the arena begins that is for the test. */
  readonly freeAt: number;
}

function test(name: string, body: (bench: Bench) => void): void {
  testUnless([reason], name, () => {
    const library = openIpsecMb();
    const libcrypto = openLibcrypto();
    try {
      const arena = new Arena(ARENA_BYTES);
      const ctr = new CtrBurst(library, arena);
      const sha1 = new HmacSha1(libcrypto, arena);
      const hmac = new HmacBurst(library, arena, sha1);
      const freeAt = arena.take(arena.free - 64, 64);
      body({ library, arena, ctr, hmac, freeAt });
    } finally {
      libcrypto.close();
      library.close();
    }
  });
}

/** A message of a burst. */
interface Message {
  readonly size: number;
  /** Unused bytes before it. */
  readonly gap: number;
}

/** Random bytes that the seed decides on. */
function randomBytes(seed: number, size: number): Uint8Array {
  const counter = Buffer.alloc(16);
  counter.writeUInt32LE(seed);
  const stream = createCipheriv("aes-128-ctr", Buffer.alloc(16), counter);
  return Buffer.concat([stream.update(Buffer.alloc(size)), stream.final()]);
}

const seeds = fc.nat();
const keySizes = fc.constantFrom<AesKeySize>(16, 24, 32);
const messages = fc.array<Message>(
  fc.record({ size: fc.integer({ min: 1, max: 1600 }), gap: fc.nat(17) }),
  { minLength: 1, maxLength: 300, size: "max" },
);

/** Bursts around the number of jobs that one call takes. */
const edges = [1, MAX_BURST - 1, MAX_BURST, MAX_BURST + 1, 2 * MAX_BURST + 1]
  .map((count): [Message[], number] => [
    Array.from({ length: count }, (_, i) => ({ size: i + 1, gap: i % 3 })),
    count,
  ]);

function ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Buffer {
  const name = `aes-${key.length * 8}-ctr`;
  const cipher = createCipheriv(name, key, counter);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

/** Encrypts the burst, and compares all the memory with what should be there. */
function encryptsAll(
  { arena, ctr: burst, freeAt }: Bench,
  keySize: AesKeySize,
  messages: readonly Message[],
  seed: number,
): void {
  const space = arena.bytes.subarray(freeAt);
  space.set(randomBytes(seed, space.length));
  const expected = Buffer.from(space);
  burst.begin(keySize);
  let next = 0;
  for (const { size, gap } of messages) {
    const keyAt = next + gap;
    const counterAt = keyAt + keySize;
    const at = counterAt + 16 + gap;
    next = at + size;
    // Far from where the last four bytes overflow.
    space[counterAt + 12] = expected[counterAt + 12] = 0;
    burst.run(freeAt + keyAt, freeAt + counterAt, freeAt + at, size);
    const key = expected.subarray(keyAt, keyAt + keySize);
    const counter = expected.subarray(counterAt, counterAt + 16);
    expected.set(ctr(key, counter, expected.subarray(at, next)), at);
  }
  burst.flush();
  assert.ok(expected.equals(space));
}

test("CtrBurst encrypts as node:crypto does, and touches nothing else", (bench) => {
  const property = fc.property(
    keySizes,
    messages,
    seeds,
    (keySize, messages, seed) => encryptsAll(bench, keySize, messages, seed),
  );
  fc.assert(property, {
    numRuns: 30,
    examples: edges.map(([list, seed]) => [32, list, seed]),
  });
});

test("CtrBurst leaves out messages without a byte", ({ arena, ctr, freeAt }) => {
  const before = arena.bytes.slice();
  ctr.begin(16);
  ctr.flush();
  ctr.run(freeAt, freeAt + 16, freeAt + 32, 0);
  ctr.flush();
  assert.ok(Buffer.from(before).equals(arena.bytes));
});

test("CtrBurst counts in the last four bytes, without a carry", (bench) => {
  const { arena, ctr: burst, freeAt } = bench;
  const [counterAt, at] = [freeAt + 16, freeAt + 32];
  const key = arena.slice(freeAt, 16);
  const overflowing = Uint8Array.fromHex("000102030405060708090a0bffffffff");
  arena.bytes.set(overflowing, counterAt);
  burst.begin(16);
  burst.run(freeAt, counterAt, at, 32);
  burst.flush();
  const block = new Uint8Array(16);
  const expected = Buffer.concat([
    ctr(key, overflowing, block),
    ctr(key, Uint8Array.from(overflowing).fill(0, 12), block),
  ]);
  assert.equal(arena.slice(at, 32).toHex(), expected.toString("hex"));
});

/** Computes the burst, and compares all the memory with what should be there. */
function authenticatesAll(
  { arena, hmac: burst, freeAt }: Bench,
  messages: readonly Message[],
  seed: number,
): void {
  const space = arena.bytes.subarray(freeAt);
  space.set(randomBytes(seed, space.length));
  const expected = Buffer.from(space);
  let next = 0;
  burst.begin();
  for (const { size, gap } of messages) {
    const keyAt = Math.ceil(next / 4) * 4;
    const at = keyAt + 20 + gap;
    const macAt = at + size + gap;
    next = macAt + 20;
    burst.run(freeAt + keyAt, freeAt + at, size, freeAt + macAt);
    const mac = createHmac("sha1", expected.subarray(keyAt, keyAt + 20))
      .update(expected.subarray(at, at + size)).digest();
    expected.set(mac, macAt);
  }
  burst.flush();
  assert.ok(expected.equals(space));
}

test("HmacBurst computes what node:crypto does, and touches nothing else", (bench) => {
  const property = fc.property(
    messages,
    seeds,
    (messages, seed) => authenticatesAll(bench, messages, seed),
  );
  fc.assert(property, { numRuns: 30, examples: edges });
});

test("HmacBurst works on the longest datagram that UDP carries", (bench) => {
  authenticatesAll(bench, [{ size: 65507, gap: 1 }], 1);
});

test("HmacBurst goes on after a message that was refused", (bench) => {
  const { hmac, freeAt } = bench;
  for (const size of [0, 65535]) {
    hmac.run(freeAt, freeAt + 20, size, freeAt + 70_000);
    assert.throws(() => hmac.flush(), {
      name: "IpsecMbError",
      message: "Cannot authenticate in a burst: 0 of 1 jobs were done",
    });
    authenticatesAll(bench, [{ size: 100, gap: 0 }], size);
  }
});

test("CtrBurst goes on after a burst that was given up", (bench) => {
  const { ctr: burst, freeAt } = bench;
  burst.begin(32);
  burst.run(freeAt, freeAt + 32, freeAt + 48, 1);
  encryptsAll(bench, 16, [{ size: 100, gap: 0 }], 1);
});

test("HmacBurst goes on after a burst that was given up", (bench) => {
  const { hmac: burst, freeAt } = bench;
  burst.begin();
  burst.run(freeAt, freeAt + 20, 1, freeAt + 70_000);
  authenticatesAll(bench, [{ size: 100, gap: 0 }], 1);
});

test("nothing is read or written outside the arena", ({ arena, ctr, hmac }) => {
  const end = arena.bytes.length;
  ctr.begin(16);
  const outside = [
    () => ctr.run(end - 8, 0, 0, 1),
    () => ctr.run(0, end - 8, 0, 1),
    () => ctr.run(0, 16, end - 16, 17),
    () => hmac.run(end - 16, 0, 1, 0),
    () => hmac.run(0, end, 1, 0),
    () => hmac.run(0, 0, 1, end - 19),
  ];
  for (const reach of outside) assert.throws(reach, { name: "RangeError" });
});

test("a closed library is refused", ({ library, ctr, hmac, freeAt }) => {
  ctr.begin(16);
  ctr.run(freeAt, freeAt, freeAt, 1);
  hmac.run(freeAt, freeAt, 1, freeAt);
  library.close();
  library.close();
  const closed = {
    name: "IpsecMbError",
    message: "Cannot use libIPSec_MB: it is closed",
  };
  assert.throws(() => ctr.flush(), closed);
  assert.throws(() => hmac.flush(), closed);
  assert.throws(() => ctr.run(freeAt, freeAt, freeAt, 1), closed);
});

test("the library tells its version", ({ library }) => {
  assert.match(library.version, /^(1\.3|2\.0)\./);
});

Deno.test("a missing libIPSec_MB is told by its name", () => {
  assert.throws(() => openIpsecMb(["libnothing.so.2", "libnothing.so.1"]), {
    name: "IpsecMbError",
    message: /libnothing\.so\.2.*libnothing\.so\.1/s,
  });
});

Deno.test("a library without what libIPSec_MB has is told by the function", () => {
  assert.throws(() => openIpsecMb(["libc.so.6"]), {
    name: "IpsecMbError",
    message: /imb_get_version_str|mb_mgr|aes_keyexp/,
  });
});

/** A library that has nothing behind its functions, and counts managers. */
class FakeLibrary implements IpsecMbLibrary {
  managers = 0;
  readonly symbols: IpsecMbLibrary["symbols"];
  readonly #version: Uint8Array<ArrayBuffer>;
  readonly #manager: Uint8Array<ArrayBuffer> | null;

  constructor(version: string, manager: Uint8Array<ArrayBuffer> | null) {
    this.#version = new TextEncoder().encode(`${version}\0`);
    this.#manager = manager;
    const nothing = () => {};
    this.symbols = {
      imb_get_version_str: () => Deno.UnsafePointer.of(this.#version),
      alloc_mb_mgr: () => this.#takeManager(),
      init_mb_mgr_auto: nothing,
      free_mb_mgr: () => void this.managers--,
      aes_keyexp_128_enc_sse: nothing,
      aes_keyexp_192_enc_sse: nothing,
      aes_keyexp_256_enc_sse: nothing,
    };
  }

  close(): void {}

  #takeManager(): Deno.PointerValue {
    if (this.#manager === null) return null;
    this.managers++;
    return Deno.UnsafePointer.of(this.#manager);
  }
}

for (const version of ["", "1", "1.30.0", "1.4.0", "2.1.0", "11.3.0"]) {
  Deno.test(`version "${version}" of libIPSec_MB is refused, as nobody knows its structs`, () => {
    const library = new FakeLibrary(version, new Uint8Array(2048));
    assert.throws(() => new IpsecMb(library), {
      name: "IpsecMbError",
      message:
        `Cannot use libIPSec_MB: its version is ${version}, known are 1.3 and 2.0`,
    });
    assert.equal(library.managers, 0);
  });
}

Deno.test("no memory for a manager is told", () => {
  assert.throws(() => new IpsecMb(new FakeLibrary("1.3.0", null)), {
    name: "IpsecMbError",
    message: "Cannot make a manager of jobs: out of memory",
  });
});

Deno.test("a processor without instructions for AES is told, and the manager freed", () => {
  const library = new FakeLibrary("2.0.0", new Uint8Array(2048));
  assert.throws(() => new IpsecMb(library), {
    name: "IpsecMbError",
    message:
      "Cannot use libIPSec_MB: the processor has no instructions for AES",
  });
  assert.equal(library.managers, 0);
});

Deno.test("a manager with functions that nobody exports is told, and freed", () => {
  const manager = new Uint8Array(2048);
  manager[8] = 2; // IMB_FEATURE_AESNI
  const itself = Deno.UnsafePointer.value(Deno.UnsafePointer.of(manager));
  for (const address of [0n, itself]) {
    new DataView(manager.buffer).setBigUint64(984, address, true);
    const library = new FakeLibrary("1.3.1", manager);
    assert.throws(() => new IpsecMb(library), {
      name: "IpsecMbError",
      message: "Cannot use libIPSec_MB: it does not export what it uses",
    });
    assert.equal(library.managers, 0);
  }
});
