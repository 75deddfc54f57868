import assert from "node:assert/strict";
import openWabt from "wabt";
import { ASSEMBLED, openPacketMemory } from "../../../src/offload/bytes.ts";
import { counting, internetSum } from "../../../lab/packets.ts";
import { TestMemory } from "../../fakes/packet_memory.ts";

const SIZES = [...Array(200).keys(), 1380, 1499, 1500, 65534, 65535];

Deno.test("the committed bytes are what bytes.wat assembles to", async () => {
  const source = new URL("../../../src/offload/bytes.wat", import.meta.url);
  const wabt = await openWabt();
  const module = wabt.parseWat(
    "bytes.wat",
    await Deno.readTextFile(source),
    { simd: true },
  );
  const assembled = module.toBinary({}).buffer;
  module.destroy();
  assert.equal(ASSEMBLED, btoa(String.fromCharCode(...assembled)));
});

Deno.test("copy() moves any size from and to any alignment", () => {
  for (const size of SIZES) {
    const test = new TestMemory(3 * 65536);
    const from = 64 + size % 17;
    const to = 70000 + size % 13;
    const bytes = counting(size, size);
    test.put(from, bytes);
    test.memory.copy(to, from, size);
    assert.deepEqual(test.get(to, size), bytes);
    test.assertUntouchedOutside([from, size], [to, size]);
  }
});

Deno.test("sum() agrees with RFC 1071 for any size and alignment", () => {
  const test = new TestMemory(3 * 65536);
  for (const size of SIZES) {
    const at = 64 + size % 17;
    const bytes = counting(size, size);
    test.put(at, bytes);
    assert.equal(test.memory.sum(at, size, 0), internetSum(bytes));
  }
});

Deno.test("sum() of nothing but ones does not overflow", () => {
  const test = new TestMemory(8 * 65536);
  test.bytes.fill(0xff);
  assert.equal(test.memory.sum(0, 524287, 0), 0xff00);
});

Deno.test("sum() goes on from any seed of 32 bits", () => {
  const test = new TestMemory(65536);
  test.put(0, Uint8Array.of(0x12, 0x34, 0x56));
  const sum = 0x1234 + 0x5600;
  assert.equal(test.memory.sum(0, 3, 0), sum);
  assert.equal(test.memory.sum(0, 3, 0x0001_0002), sum + 3);
  assert.equal(test.memory.sum(0, 3, 0xffff_ffff), sum);
  assert.equal(test.memory.sum(0, 0, 0xffff_ffff), 0xffff);
  assert.equal(test.memory.sum(0, 0, 0), 0);
});

Deno.test("copySum() does what copy() and sum() do", () => {
  for (const size of SIZES) {
    const test = new TestMemory(3 * 65536);
    const from = 64 + size % 17;
    const to = 70000 + size % 13;
    const bytes = counting(size, size);
    test.put(from, bytes);
    const sum = test.memory.copySum(to, from, size, 0xabcd_1234);
    assert.equal(sum, test.memory.sum(from, size, 0xabcd_1234));
    assert.deepEqual(test.get(to, size), bytes);
    test.assertUntouchedOutside([from, size], [to, size]);
  }
});

Deno.test("a range beyond the end of the memory traps", () => {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const memory = openPacketMemory(wasm);
  assert.throws(() => memory.copy(0, 65530, 8), WebAssembly.RuntimeError);
  assert.throws(() => memory.copy(65530, 0, 8), WebAssembly.RuntimeError);
  assert.throws(() => memory.sum(65530, 7, 0), WebAssembly.RuntimeError);
});
