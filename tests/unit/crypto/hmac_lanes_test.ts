import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { HMAC_LANES_BYTES, HmacLanes } from "../../../src/crypto/hmac_lanes.ts";
import type { Mac } from "../../../src/satp/engine.ts";

const SLOT = 2048;
const MAC_AT = 1800;

/** Lanes, and slots of key, message and HMAC behind what they take. */
class Bench {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lanes: HmacLanes;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: 8, maximum: 8 });
    this.bytes = new Uint8Array(memory.buffer as ArrayBuffer);
    this.lanes = new HmacLanes(memory, 64);
    this.lanes.begin();
  }

  place(i: number): number {
    return 8192 + i * SLOT;
  }

  run(i: number, key: Uint8Array, message: Uint8Array, offset: number): void {
    const keyAt = this.place(i);
    const at = keyAt + 32 + offset;
    this.bytes.set(key, keyAt);
    this.bytes.set(message, at);
    this.lanes.run(keyAt, at, message.length, keyAt + MAC_AT);
  }

  macOf(i: number): string {
    const at = this.place(i) + MAC_AT;
    return this.bytes.subarray(at, at + 20).toHex();
  }
}

function hmac(key: Uint8Array, message: Uint8Array): string {
  return createHmac("sha1", key).update(message).digest("hex");
}

const messages = fc.record({
  key: fc.uint8Array({ minLength: 20, maxLength: 20 }),
  message: fc.oneof(
    fc.uint8Array({ maxLength: 1600 }),
    fc.constant(new Uint8Array(1410).fill(7)),
  ),
  offset: fc.nat(15),
});

Deno.test("HMACs side by side are those of node:crypto, whatever the lengths", () => {
  const list = fc.array(messages, { maxLength: 130, size: "max" });
  fc.assert(
    fc.property(list, (list) => {
      const bench = new Bench();
      for (const [i, { key, message, offset }] of list.entries()) {
        bench.run(i, key, message, offset);
      }
      bench.lanes.flush();
      for (const [i, { key, message }] of list.entries()) {
        assert.equal(bench.macOf(i), hmac(key, message), `${i}`);
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("every length of a datagram has its HMAC, beside others", () => {
  for (let first = 0; first <= 1600; first += 64) {
    const bench = new Bench();
    const messageOf = (i: number) =>
      Uint8Array.from({ length: first + i }, (_, k) => k * 7 + i);
    const keyOf = (i: number) => new Uint8Array(20).fill(first + i);
    for (let i = 0; i < 64; i++) bench.run(i, keyOf(i), messageOf(i), i % 16);
    bench.lanes.flush();
    for (let i = 0; i < 64; i++) {
      const expected = hmac(keyOf(i), messageOf(i));
      assert.equal(bench.macOf(i), expected, `${first + i} bytes`);
    }
  }
});

Deno.test("every length up to three blocks is padded as SHA-1 wants it", () => {
  for (let size = 0; size < 192; size++) {
    const bench = new Bench();
    const key = new Uint8Array(20).fill(size + 1);
    const message = Uint8Array.from({ length: size }, (_, k) => k * 7);
    bench.run(0, key, message, size % 16);
    bench.lanes.flush();
    assert.equal(bench.macOf(0), hmac(key, message), `${size} bytes`);
  }
});

// RFC 2202 section 3, the cases whose keys have 20 bytes.
Deno.test("the examples of RFC 2202 come out", () => {
  const bench = new Bench();
  const text = (text: string) => new TextEncoder().encode(text);
  bench.run(0, new Uint8Array(20).fill(0x0b), text("Hi There"), 0);
  bench.run(
    1,
    new Uint8Array(20).fill(0xaa),
    new Uint8Array(50).fill(0xdd),
    1,
  );
  bench.run(
    2,
    new Uint8Array(20).fill(0x0c),
    text("Test With Truncation"),
    2,
  );
  bench.lanes.flush();
  assert.deepEqual([0, 1, 2].map((i) => bench.macOf(i)), [
    "b617318655057264e28bc0b6fb378c8ef146be00",
    "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
    "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
  ]);
});

/** Notes the sizes of what it is given. */
function noting(sizes: number[]): Mac {
  return {
    run: (_key, _at, size) => void sizes.push(size),
    flush() {},
  };
}

Deno.test("what would leave lanes empty is done one by one", () => {
  const bench = new Bench();
  const sizes = [60, 1400, 60, 1400, ...Array(16).fill(700), 60];
  for (const [i, size] of sizes.entries()) {
    bench.run(i, new Uint8Array(20), new Uint8Array(size), 0);
  }
  const single: number[] = [];
  bench.lanes.flush(noting(single));
  assert.deepEqual(single, [1400, 1400, 60, 60, 60]);
  assert.equal(bench.macOf(4), hmac(new Uint8Array(20), new Uint8Array(700)));
});

Deno.test("what was left of another batch is forgotten", () => {
  const bench = new Bench();
  bench.run(0, new Uint8Array(20), new Uint8Array(100), 0);
  bench.lanes.begin();
  bench.lanes.flush();
  assert.equal(bench.macOf(0), "00".repeat(20));
});

Deno.test("lanes touch nothing but HMACs and what they take", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(0x5a);
  const lanes = new HmacLanes(memory, 64);
  for (let i = 0; i < 8; i++) {
    lanes.run(16384, 20001, 100 + i, 32768 + 20 * i);
  }
  lanes.flush();
  bytes.fill(0x5a, 64, 64 + HMAC_LANES_BYTES);
  bytes.fill(0x5a, 32768, 32768 + 160);
  assert.ok(bytes.every((byte) => byte === 0x5a));
});
