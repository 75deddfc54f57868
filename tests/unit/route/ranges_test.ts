import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
  AddressRanges,
  NO_MUX,
  PAGE_RANGES,
} from "../../../src/route/ranges.ts";
import { Routes } from "../../../src/route/routes.ts";
import { RouteTable } from "../../../src/route/table.ts";
import {
  type AddressRange,
  disjointRanges,
} from "../../oracles/disjoint_ranges.ts";
import { ipAddress, routeOf } from "../../samples/routes.ts";

/** As the slow way lists them: neighbours with one mux are one range. */
function listOf(ranges: AddressRanges): AddressRange[] {
  const list: AddressRange[] = [];
  const { words } = ranges;
  for (const { starts, leads, count } of ranges.pages) {
    for (let k = 0; k < count; k++) {
      const start = starts.subarray(k * words, (k + 1) * words)
        .reduce((sum, word) => sum << 32n | BigInt(word), 0n);
      const mux = (leads[k] ?? 0) - 1;
      if (list.at(-1)?.mux !== mux) list.push({ start, mux });
    }
  }
  return list;
}

/** Prefixes by the start of their length bits, so that each is there once. */
class Prefixes {
  readonly bits: number;
  readonly all = new Map<
    string,
    { number: bigint; length: number; mux: number }
  >();

  constructor(bits: number) {
    this.bits = bits;
  }

  bytes(number: bigint): Uint8Array {
    return Uint8Array.from(
      { length: this.bits / 8 },
      (_, k) => Number(number >> BigInt(this.bits - 8 * (k + 1)) & 0xffn),
    );
  }

  put(number: bigint, length: number, mux: number): void {
    this.all.set(this.#keyOf(number, length), { number, length, mux });
  }

  removeAt(place: number) {
    const keys = [...this.all.keys()];
    const key = keys[place % keys.length] ?? "";
    const gone = this.all.get(key);
    this.all.delete(key);
    return gone;
  }

  outer(number: bigint, length: number) {
    for (let outer = length - 1; outer >= 0; outer--) {
      const found = this.all.get(this.#keyOf(number, outer));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #keyOf(number: bigint, length: number): string {
    return `${number >> BigInt(this.bits - length)}/${length}`;
  }
}

/** Neighbours that are alike would add up with each change. */
function assertJoined({ pages }: AddressRanges): void {
  const owners = pages.flatMap(({ leads, depths, count }) =>
    Array.from(leads.subarray(0, count), (lead, k) => `${lead} ${depths[k]}`)
  );
  assert.ok(owners.every((owner, k) => k === 0 || owner !== owners[k - 1]));
}

function assertBounded(ranges: AddressRanges, prefixes: number): void {
  const { pages, size } = ranges;
  assert.equal(pages.reduce((sum, { count }) => sum + count, 0), size);
  assert.ok(size <= 2 * prefixes + 1, `${size} ranges, ${prefixes} prefixes`);
  for (const [k, { count }] of pages.entries()) {
    assert.ok(count > 0 && count <= PAGE_RANGES);
    const next = pages[k + 1];
    if (next !== undefined) assert.ok(count + next.count > PAGE_RANGES / 2);
  }
}

for (const bits of [32, 128] as const) {
  Deno.test(`ranges of ${bits} bits that change one by one are those that are made anew`, () => {
    // Few different ones, so that prefixes lie in one another, and come again.
    const number = fc.oneof(
      fc.bigInt({ min: 0n, max: 7n }).map((top) => top << BigInt(bits - 3)),
      fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }),
      fc.bigInt({ min: 0n, max: 300n }),
    );
    const coming = fc.record({
      number,
      length: fc.oneof(
        fc.nat(bits),
        fc.constantFrom(0, 1, 2, 3, bits - 1, bits),
      ),
      // Neighbours that lead to one mux are as likely as others.
      mux: fc.nat(2),
    });
    /** Or the place of one that goes. */
    const change = fc.oneof(coming, fc.nat(400));
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 400, size: "max" }),
        (changes) => {
          const prefixes = new Prefixes(bits);
          const ranges = new AddressRanges(bits / 32);
          for (const change of changes) {
            if (typeof change === "number") {
              const gone = prefixes.removeAt(change);
              if (gone === undefined) continue;
              const { number, length } = gone;
              const outer = prefixes.outer(number, length);
              ranges.remove(prefixes.bytes(number), length, outer);
            } else {
              const { number, length, mux } = change;
              prefixes.put(number, length, mux);
              ranges.put(prefixes.bytes(number), length, mux);
            }
          }
          const slow = disjointRanges(bits, prefixes.all.values());
          assert.deepEqual(listOf(ranges), slow);
          assertBounded(ranges, prefixes.all.size);
          assertJoined(ranges);
          assert.equal(
            ranges.leadsSomewhere,
            slow.some(({ mux }) => mux !== NO_MUX),
          );
        },
      ),
      { numRuns: 150 },
    );
  });
}

/** With a hole behind each, so that no two of them are one range. */
function manyRoutes(count: number): Routes {
  const routes = new Routes();
  for (let k = 0; k < count; k++) routes.put(hostOf(k, k % 65_536));
  return routes;
}

function hostOf(k: number, mux: number) {
  const number = 2 * k;
  const text = [10, number >> 16, number >> 8 & 255, number & 255].join(".");
  return routeOf(`${text}/32`, mux);
}

/** That writes down how many pages each change has written. */
class CountingTable extends RouteTable {
  written = 0;
  ranges = new AddressRanges(1);

  override publish(ipv4: AddressRanges, ipv6: AddressRanges): number {
    this.ranges = ipv4;
    this.written = super.publish(ipv4, ipv6);
    return this.written;
  }
}

Deno.test("a route that changes among 100 000 has a page or two written, and not all", () => {
  const routes = manyRoutes(100_000);
  const table = new CountingTable(RouteTable.allocate());
  routes.publish(table);
  assert.ok(table.written > 700);
  routes.put(hostOf(50_000, 7));
  routes.publish(table);
  assert.equal(table.written, 1);
  const { network } = hostOf(50_000, 7);
  assert.ok(network.family === 4);
  assert.equal(table.lookupIpv4(network.bytes, 0), 7);
  routes.remove(hostOf(50_001, 0));
  routes.put(routeOf("9.9.9.9/32", 8));
  routes.publish(table);
  assert.ok(table.written <= 4, `${table.written} pages`);
  assert.equal(table.lookupIpv4(ipAddress("9.9.9.9").bytes, 0), 8);
  assert.equal(table.lookupIpv4(ipAddress("10.1.134.162").bytes, 0), -1);
});

Deno.test("pages that routes have left are few, and the table takes all that come and go", () => {
  const routes = manyRoutes(10_000);
  const table = new CountingTable(RouteTable.allocate());
  for (let round = 0; round < 6; round++) {
    for (let k = 0; k < 10_000; k++) {
      if (k % 7 !== round) routes.remove(hostOf(k, 0));
    }
    assertBounded(table.ranges, 10_000 / 7 + 1);
    routes.publish(table);
    assert.equal(
      table.lookupIpv4(Uint8Array.of(10, 0, 0, 2 * round), 0),
      round,
    );
    for (let k = 0; k < 10_000; k++) routes.put(hostOf(k, k % 65_536));
    routes.publish(table);
    assert.equal(table.lookupIpv4(Uint8Array.of(10, 0, 0, 100), 0), 50);
    assert.equal(table.lookupIpv4(Uint8Array.of(10, 0, 0, 101), 0), -1);
  }
});
