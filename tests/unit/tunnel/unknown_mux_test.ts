import { strict as assert } from "node:assert";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";

/** Of the 32 MiB that the records of all muxes have room for. */
const LITTLE = 4 << 20;

const PAGE_BYTES = 4096;

// Documentation/admin-guide/mm/pagemap.rst
const ENTRY_BYTES = 8;
const PRESENT_OR_SWAPPED = 0xc0;

/** Bytes of a memory of which the system has pages, whatever else it has. */
function pagesOf({ buffer }: WebAssembly.Memory): number {
  // As ArrayBuffer for the type checker; shared memory has a place as well.
  const bytes = new Uint8Array(buffer) as Uint8Array<ArrayBuffer>;
  const place = Deno.UnsafePointer.of(bytes);
  const first = Number(Deno.UnsafePointer.value(place)) / PAGE_BYTES;
  const entries = new Uint8Array(buffer.byteLength / PAGE_BYTES * ENTRY_BYTES);
  using map = Deno.openSync("/proc/self/pagemap");
  map.seekSync(Math.floor(first) * ENTRY_BYTES, Deno.SeekMode.Start);
  for (let at = 0; at < entries.length;) {
    const count = map.readSync(entries.subarray(at));
    assert.ok(count, "the map is shorter than the memory");
    at += count;
  }
  // The highest byte of an entry is its last one.
  const flags = entries.filter((_, k) => k % ENTRY_BYTES === ENTRY_BYTES - 1);
  return flags.filter((byte) => (byte & PRESENT_OR_SWAPPED) !== 0).length *
    PAGE_BYTES;
}

Deno.test("muxes that strangers name take no memory", () => {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const connections = new Connections(table, openBuiltin(0).engine);
  const before = pagesOf(table.shared);
  for (let mux = 0; mux < 0x10000; mux++) {
    assert.equal(connections.get(mux), undefined);
  }
  const taken = pagesOf(table.shared) - before;
  assert.ok(taken < LITTLE, `${taken} bytes`);
});
