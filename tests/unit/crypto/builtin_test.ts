import assert from "node:assert/strict";
import fc from "fast-check";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import type { AesKeyBytes } from "../../../src/satp/engine.ts";

const KEYS: Readonly<Record<AesKeyBytes, string>> = {
  16: "2b7e151628aed2a6abf7158809cf4f3c",
  24: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
  32: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
};
// The four blocks of NIST SP 800-38A, appendix F.
const PLAIN =
  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
  "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

/** The engine, and a place for each thing that it is given. */
function bench() {
  const { engine, bytes, freeAt } = openBuiltin(65536);
  return {
    engine,
    bytes,
    ecb(key: Uint8Array, plain: Uint8Array): string {
      const at = freeAt + 1024;
      bytes.set(plain, at);
      const master = engine.importMasterKey(key);
      master.encrypt(bytes, at, plain.length / 16);
      master.close();
      return bytes.subarray(at, at + plain.length).toHex();
    },
    ctr(
      key: Uint8Array,
      counter: Uint8Array,
      plain: Uint8Array,
      offset = 0,
    ): string {
      const at = freeAt + 1024 + offset;
      bytes.set(key, freeAt);
      bytes.set(counter, freeAt + 64);
      bytes.fill(0x5a, at - 16, at + plain.length + 16);
      bytes.set(plain, at);
      const cipher = engine.beginCipher(bytes, key.length as AesKeyBytes);
      cipher.run(freeAt, freeAt + 64, at, plain.length);
      cipher.flush();
      const end = at + plain.length;
      assert.ok(bytes.subarray(at - 16, at).every((byte) => byte === 0x5a));
      assert.ok(bytes.subarray(end, end + 16).every((byte) => byte === 0x5a));
      return bytes.subarray(at, end).toHex();
    },
  };
}

// FIPS 197 appendix C.
Deno.test("the examples of FIPS 197 come out, for every size of key", () => {
  const plain = Uint8Array.fromHex("00112233445566778899aabbccddeeff");
  const key = Uint8Array.from({ length: 32 }, (_, k) => k);
  const found = [16, 24, 32].map((size) =>
    bench().ecb(key.subarray(0, size), plain)
  );
  assert.deepEqual(found, [
    "69c4e0d86a7b0430d8cdb78070b4c55a",
    "dda97ca4864cdfe06eaf70a0ec0d7191",
    "8ea2b7ca516745bfeafc49904b496089",
  ]);
});

// NIST SP 800-38A sections F.1.1, F.1.3 and F.1.5: the last block of each.
Deno.test("the ECB examples of SP 800-38A come out", () => {
  const found = Object.values(KEYS).map((key) =>
    bench().ecb(Uint8Array.fromHex(key), Uint8Array.fromHex(PLAIN)).slice(-32)
  );
  assert.deepEqual(found, [
    "7b0c785e27e8ad3f8223207104725dd4",
    "9a4b41ba738d6c72fb16691603c18e0e",
    "23304b7a39f9f3ff067d8d8f9e24ecc7",
  ]);
});

// NIST SP 800-38A sections F.5.1, F.5.3 and F.5.5.
Deno.test("the counter mode examples of SP 800-38A come out", () => {
  const counter = Uint8Array.fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const found = Object.values(KEYS).map((key) =>
    bench().ctr(Uint8Array.fromHex(key), counter, Uint8Array.fromHex(PLAIN))
  );
  assert.deepEqual(found, [
    "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff" +
    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94" +
    "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5" +
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
  ]);
});

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length });
const keys = fc.constantFrom(16, 24, 32).chain(bytes);

Deno.test("counter mode is that of WebCrypto, whatever key, length and place", async () => {
  const { ctr } = bench();
  const property = fc.asyncProperty(
    keys,
    bytes(14),
    fc.uint8Array({ maxLength: 1700, size: "max" }),
    fc.nat(63),
    async (key, salt, plain, offset) => {
      const counter = Uint8Array.of(...salt, 0, 0);
      const imported = await crypto.subtle.importKey(
        "raw",
        key.slice(),
        "AES-CTR",
        false,
        ["encrypt"],
      );
      const expected = new Uint8Array(
        await crypto.subtle.encrypt(
          { name: "AES-CTR", counter, length: 128 },
          imported,
          plain.slice(),
        ),
      );
      assert.equal(ctr(key, counter, plain, offset), expected.toHex());
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

Deno.test("counter mode ends where the message does, at every length of a datagram", async () => {
  const { ctr } = bench();
  const plain = Uint8Array.from({ length: 1600 }, (_, k) => 31 * k);
  const counter = new Uint8Array(16).fill(0x77, 0, 14);
  for (const text of Object.values(KEYS)) {
    const key = Uint8Array.fromHex(text);
    const imported = await crypto.subtle.importKey(
      "raw",
      key,
      "AES-CTR",
      false,
      ["encrypt"],
    );
    const algorithm = { name: "AES-CTR", counter, length: 32 };
    const whole = await crypto.subtle.encrypt(algorithm, imported, plain);
    const expected = new Uint8Array(whole).toHex();
    for (let size = 0; size <= plain.length; size++) {
      const found = ctr(key, counter, plain.subarray(0, size), size % 16);
      assert.equal(found, expected.slice(0, 2 * size), `${size} bytes`);
    }
  }
});

Deno.test("every byte is substituted as FIPS 197 section 5.1.1 says", async () => {
  // All bytes at all places: what one wrong entry of a table spoils, shows.
  const { ctr } = bench();
  for (let byte = 0; byte < 256; byte++) {
    const key = new Uint8Array(16).fill(byte);
    const counter = new Uint8Array(16).fill(byte);
    counter.fill(0, 12);
    const imported = await crypto.subtle.importKey(
      "raw",
      key,
      "AES-CTR",
      false,
      ["encrypt"],
    );
    const plain = new Uint8Array(64);
    const algorithm = { name: "AES-CTR", counter, length: 32 };
    const expected = await crypto.subtle.encrypt(algorithm, imported, plain);
    assert.equal(ctr(key, counter, plain), new Uint8Array(expected).toHex());
  }
});

Deno.test("nothing of a master key stays in the engine's memory", () => {
  for (const size of [16, 24, 32]) {
    const { bytes, ecb } = bench();
    const before = bytes.slice();
    ecb(new Uint8Array(size).fill(0xc3), new Uint8Array(15 * 16));
    const changed = bytes.filter((byte, at) => byte !== before[at]).length;
    // The blocks that were asked for, and nothing else.
    assert.ok(changed <= 15 * 16, `${changed} bytes`);
  }
});

Deno.test("a memory that is not the engine's is refused", () => {
  const { engine } = bench();
  const memory = new Uint8Array(1024);
  const refusal = {
    name: "TypeError",
    message: "Cannot work on a memory outside the engine's own",
  };
  const master = engine.importMasterKey(new Uint8Array(16));
  assert.throws(() => master.encrypt(memory, 0, 1), refusal);
  assert.throws(() => engine.beginCipher(memory, 16), refusal);
  assert.throws(() => engine.beginMac(memory, 1), refusal);
});

Deno.test("a master key of another size is refused", () => {
  const { engine } = bench();
  assert.throws(() => engine.importMasterKey(new Uint8Array(17)), {
    name: "RangeError",
    message: "Cannot use an AES key: it has 17 bytes",
  });
});
