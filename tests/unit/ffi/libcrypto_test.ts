import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCipheriv, createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { Aes, HmacSha1 } from "../../../ffi/crypto/openssl.ts";
import {
  type Libcrypto,
  openLibcrypto,
} from "../../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../../ffi/memory.ts";
import { SHA1_START, sha1Block } from "../../oracles/slow_sha1.ts";
import { libcryptoTest } from "../../fakes/with_libcrypto.ts";

function test(name: string, body: (libcrypto: Libcrypto) => void): void {
  libcryptoTest([], name, body);
}

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length });
const someBytes = (maxLength: number) => fc.uint8Array({ maxLength });
const keySizes = fc.constantFrom(16, 24, 32);
const keys = keySizes.chain(bytes);

/** Puts bytes where nothing else is, at an offset that need not be even. */
function place(arena: Arena, content: Uint8Array, alignment = 1): number {
  const at = arena.take(content.length, alignment);
  arena.bytes.set(content, at);
  return at;
}

test("AesEcb encrypts blocks as node:crypto does", (libcrypto) => {
  const property = fc.property(
    keys,
    fc.integer({ min: 1, max: 300 }).chain((blocks) => bytes(blocks * 16)),
    (key, plain) => {
      const arena = new Arena(65536);
      const ecb = new Aes(libcrypto, arena).ecb(key.slice());
      const at = place(arena, plain);
      ecb.encrypt(at, plain.length / 16);
      ecb.close();
      const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
        .setAutoPadding(false);
      const expected = Buffer.concat([cipher.update(plain), cipher.final()]);
      assert.equal(
        arena.slice(at, plain.length).toHex(),
        expected.toString("hex"),
      );
    },
  );
  fc.assert(property, { numRuns: 50 });
});

test("AesEcb keeps its key over many calls, and others theirs", (libcrypto) => {
  const arena = new Arena(65536);
  const aes = new Aes(libcrypto, arena);
  const first = aes.ecb(new Uint8Array(16));
  const second = aes.ecb(new Uint8Array(16).fill(1));
  const encrypted = (ecb: typeof first) => {
    const at = arena.take(16);
    ecb.encrypt(at, 1);
    return arena.slice(at, 16).toHex();
  };
  const once = encrypted(first);
  // AES-128 of a zero block under a zero key.
  assert.equal(once, "66e94bd4ef8a2c3b884cfa59ca342b2e");
  assert.notEqual(encrypted(second), once);
  assert.equal(encrypted(first), once);
  first.close();
  second.close();
});

test("AesEcb refuses a key of another size", (libcrypto) => {
  const aes = new Aes(libcrypto, new Arena(1));
  for (const size of [0, 15, 17, 33]) {
    assert.throws(() => aes.ecb(new Uint8Array(size)), {
      name: "RangeError",
      message: `Cannot use an AES key: it has ${size} bytes`,
    });
  }
});

test("a closed cipher is refused", (libcrypto) => {
  const aes = new Aes(libcrypto, new Arena(1));
  const ecb = aes.ecb(new Uint8Array(16));
  const ctr = aes.ctr(16);
  for (const cipher of [ecb, ctr]) {
    cipher.close();
    cipher.close();
  }
  assert.throws(() => ecb.encrypt(0, 1), { name: "LibcryptoError" });
  assert.throws(() => ctr.run(0, 16, 32, 1), { name: "LibcryptoError" });
});

test("AesCtr takes a new key and counter every time, as node:crypto does", (libcrypto) => {
  const arena = new Arena(1 << 22);
  const aes = new Aes(libcrypto, arena);
  const contexts = {
    16: aes.ctr(16),
    24: aes.ctr(24),
    32: aes.ctr(32),
  };
  const property = fc.property(
    keys,
    bytes(16),
    someBytes(2000),
    (key, counter, plain) => {
      const ctr = contexts[key.length as 16 | 24 | 32];
      const keyAt = place(arena, key);
      const counterAt = place(arena, counter);
      const at = place(arena, plain);
      ctr.run(keyAt, counterAt, at, plain.length);
      const cipher = createCipheriv(`aes-${key.length * 8}-ctr`, key, counter);
      const expected = Buffer.concat([cipher.update(plain), cipher.final()]);
      assert.equal(
        arena.slice(at, plain.length).toHex(),
        expected.toString("hex"),
      );
      ctr.run(keyAt, counterAt, at, plain.length);
      assert.deepEqual(arena.slice(at, plain.length), plain.slice());
    },
  );
  fc.assert(property, { numRuns: 200 });
  Object.values(contexts).forEach((ctr) => ctr.close());
});

test("HmacSha1 computes what node:crypto does", (libcrypto) => {
  const arena = new Arena(1 << 22);
  const hmac = new HmacSha1(libcrypto, arena);
  const property = fc.property(bytes(20), someBytes(3000), (key, data) => {
    const keyAt = place(arena, key, 4);
    const at = place(arena, data);
    const macAt = arena.take(20, 1);
    hmac.run(keyAt, at, data.length, macAt);
    const expected = createHmac("sha1", key).update(data).digest("hex");
    assert.equal(arena.slice(macAt, 20).toHex(), expected);
  });
  fc.assert(property, { numRuns: 200 });
});

test("HmacSha1 works on every length around the blocks of SHA-1", (libcrypto) => {
  const arena = new Arena(65536);
  const hmac = new HmacSha1(libcrypto, arena);
  const [keyAt, at, macAt] = [arena.take(20), arena.take(200), arena.take(20)];
  for (let size = 0; size <= 200; size++) {
    hmac.run(keyAt, at, size, macAt);
    const expected = createHmac("sha1", new Uint8Array(20))
      .update(new Uint8Array(size)).digest("hex");
    assert.equal(arena.slice(macAt, 20).toHex(), expected, `${size} bytes`);
  }
});

Deno.test("the slow SHA-1 of these tests is SHA-1", () => {
  const block = new Uint8Array(64);
  block.set(new TextEncoder().encode("abc"));
  block[3] = 0x80; // The padding of FIPS 180-4 section 5.1.1
  block[63] = 8 * 3;
  const digest = sha1Block(SHA1_START, block)
    .map((word) => word.toString(16).padStart(8, "0")).join("");
  assert.equal(digest, createHash("sha1").update("abc").digest("hex"));
});

test("HmacSha1 gives the states behind both pads, for one key after the other", (libcrypto) => {
  const arena = new Arena(65536);
  const hmac = new HmacSha1(libcrypto, arena);
  const keyAt = arena.take(20);
  const innerAt = arena.take(20);
  const outerAt = arena.take(20);
  const stateAt = (at: number) => [...arena.words.slice(at / 4, at / 4 + 5)];
  const behind = (key: Uint8Array, pad: number) => {
    const block = Uint8Array.from(
      { length: 64 },
      (_, i) => (key[i] ?? 0) ^ pad,
    );
    return sha1Block(SHA1_START, block);
  };
  const property = fc.property(bytes(20), (key) => {
    arena.bytes.set(key, keyAt);
    hmac.states(keyAt, innerAt, outerAt);
    assert.deepEqual(stateAt(innerAt), behind(key, 0x36)); // RFC 2104
    assert.deepEqual(stateAt(outerAt), behind(key, 0x5c));
  });
  fc.assert(property);
});

test("nothing is read or written outside the arena", (libcrypto) => {
  const arena = new Arena(65536);
  const aes = new Aes(libcrypto, arena);
  const ecb = aes.ecb(new Uint8Array(16));
  const ctr = aes.ctr(16);
  const hmac = new HmacSha1(libcrypto, arena);
  const outside = [
    () => ecb.encrypt(65536 - 16, 2),
    () => ctr.run(0, 16, 65536 - 16, 17),
    () => ctr.run(65536 - 8, 16, 0, 1),
    () => ctr.run(0, 65536 - 8, 0, 1),
    () => hmac.run(0, 65536, 1, 0),
    () => hmac.run(0, 0, 1, 65536 - 19),
    () => hmac.run(65536 - 16, 0, 1, 0),
    () => hmac.states(65536 - 16, 0, 20),
    () => hmac.states(0, 65536 - 16, 20),
    () => hmac.states(0, 20, 65536 - 16),
  ];
  for (const reach of outside) assert.throws(reach, { name: "RangeError" });
  ecb.close();
  ctr.close();
});

test("the library tells its version", ({ version }) => {
  assert.match(version, /^\S+ [13]\./);
});

Deno.test("a missing libcrypto is told by its name", () => {
  assert.throws(() => openLibcrypto(["libnothing.so.3", "libnothing.so.1.1"]), {
    name: "LibcryptoError",
    message: /libnothing\.so\.3.*libnothing\.so\.1\.1/s,
  });
});

Deno.test("a library without what is needed is told by the function", () => {
  assert.throws(() => openLibcrypto(["libc.so.6"]), {
    name: "LibcryptoError",
    message: /OPENSSL_init_crypto|OpenSSL_version|EVP_|SHA1_/,
  });
});
