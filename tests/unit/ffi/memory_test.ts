import assert from "node:assert/strict";
import { openLibc } from "../../../ffi/libc.ts";
import { Arena } from "../../../ffi/memory.ts";

Deno.test("take() gives out places that do not overlap and are aligned", () => {
  const arena = new Arena(1000);
  const first = arena.take(3, 1);
  const second = arena.take(10, 64);
  const third = arena.take(1, 1);
  assert.deepEqual([first, second, third], [0, 64, 74]);
});

Deno.test("take() refuses what does not fit and says what is free", () => {
  const arena = new Arena(65536);
  arena.take(65530, 1);
  assert.throws(() => arena.take(7, 1), {
    name: "RangeError",
    message: "Cannot take 7 bytes of the arena: 6 of 65536 are free",
  });
  assert.equal(arena.take(6, 1), 65530);
});

Deno.test("the memory of an arena cannot grow", () => {
  const arena = new Arena(1);
  assert.equal(arena.bytes.length, 65536);
  assert.throws(() => arena.memory.grow(1), RangeError);
});

Deno.test("pointer() and address() name the byte at the offset", () => {
  const arena = new Arena(65536);
  arena.bytes[4711] = 42;
  const pointer = arena.pointer(4711);
  assert.equal(new Deno.UnsafePointerView(pointer).getUint8(), 42);
  assert.equal(Deno.UnsafePointer.value(pointer), arena.address(4711));
});

Deno.test("pointer() gives the same object again", () => {
  const arena = new Arena(65536);
  assert.equal(arena.pointer(8), arena.pointer(8));
});

Deno.test("pointer() stays right after more offsets than it remembers", () => {
  const arena = new Arena(65536);
  for (let offset = 0; offset < 65536; offset++) arena.pointer(offset);
  for (const offset of [0, 7, 65535, 0, 40503, 7]) {
    const address = Deno.UnsafePointer.value(arena.pointer(offset));
    assert.equal(address, arena.address(offset));
  }
});

Deno.test("storeAddress() stores what address() returns", () => {
  const arena = new Arena(65536);
  for (const offset of [0, 4711, 65535]) {
    arena.storeAddress(16, offset);
    assert.equal(arena.view.getBigUint64(16, true), arena.address(offset));
  }
});

Deno.test("nothing outside the arena gets an address", () => {
  const arena = new Arena(65536);
  for (const offset of [-1, 65536, 0xffffffff, NaN]) {
    assert.throws(() => arena.pointer(offset), RangeError);
    assert.throws(() => arena.address(offset), RangeError);
    assert.throws(() => arena.storeAddress(16, offset), RangeError);
  }
});

Deno.test("check() lets pass what is inside to the last byte", () => {
  const arena = new Arena(65536);
  arena.check(0, 65536);
  arena.check(65536, 0);
  const outside = [[0, 65537], [1, 65536], [-1, 1], [5, -1], [NaN, 1], [
    0,
    NaN,
  ]];
  for (const [offset = 0, size = 0] of outside) {
    assert.throws(() => arena.check(offset, size), RangeError);
  }
});

Deno.test("the kernel reads and writes the bytes of an arena", () => {
  const libc = openLibc();
  const arena = new Arena(65536);
  const fd = libc.symbols.eventfd(3, 0);
  arena.bytes[16] = 4;
  assert.equal(libc.symbols.writeAt(fd, arena.pointer(16), 8), 8);
  assert.equal(libc.symbols.readAt(fd, arena.pointer(32), 8), 8);
  assert.equal(arena.view.getBigUint64(32, true), 7n);
  libc.symbols.close(fd);
  libc.close();
});

Deno.test("an arena keeps the pointers of all places that a batch needs", () => {
  const arena = new Arena(2 << 20);
  const offsets = Array.from({ length: 320 }, (_, k) => (12 * k + 4) * k);
  const pointers = offsets.map((offset) => arena.pointer(offset));
  const again = offsets.map((offset) => arena.pointer(offset));
  assert.ok(pointers.every((pointer, k) => pointer === again[k]));
});
