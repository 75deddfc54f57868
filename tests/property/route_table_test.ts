import { strict as assert } from "node:assert";
import fc from "fast-check";
import { NO_MUX } from "../../src/route/ranges.ts";
import type { IpNetwork, Route } from "../../src/route/route.ts";
import { Routes } from "../../src/route/routes.ts";
import { RouteTable } from "../../src/route/table.ts";

type Family = IpNetwork["family"];

/** Few different bytes, so that prefixes lie inside one another. */
const byte = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 10, 127, 128, 254, 255) },
  { weight: 1, arbitrary: fc.nat(255) },
);

function network(family: Family): fc.Arbitrary<IpNetwork> {
  const length = family === 4 ? 4 : 16;
  return fc.array(byte, { minLength: length, maxLength: length })
    .map((bytes) => ({ family, bytes: Uint8Array.from(bytes) }));
}

function route(family: Family): fc.Arbitrary<Route> {
  const bits = family === 4 ? 32 : 128;
  return fc.record({
    network: network(family),
    prefixLength: fc.oneof(fc.nat(bits), fc.integer({ min: bits, max: 255 })),
    mux: fc.nat(0xffff),
  });
}

/** Looks at every route, bit by bit: slow, and easy to believe. */
function slowLookup(routes: readonly Route[], to: IpNetwork): number {
  let best: Route | undefined;
  const bits = to.bytes.length * 8;
  const significant = (route: Route) => Math.min(route.prefixLength, bits);
  for (const route of routes) {
    if (best !== undefined && significant(route) < significant(best)) continue;
    if (commonBits(route.network, to) >= significant(route)) best = route;
  }
  return best?.mux ?? NO_MUX;
}

function commonBits(network: Route["network"], to: IpNetwork): number {
  if (network.family !== to.family) return -1;
  const bitsOf = (bytes: Uint8Array) =>
    Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const a = bitsOf(network.bytes);
  const b = bitsOf(to.bytes);
  let common = 0;
  while (common < a.length && a[common] === b[common]) common++;
  return common;
}

/** An address, and its neighbours just outside of where ranges begin. */
function nearby({ family, bytes }: IpNetwork): IpNetwork[] {
  const last = bytes.length - 1;
  return [0, 1, 255].map((step) => {
    const moved = Uint8Array.from(bytes);
    moved[last] = (moved[last] ?? 0) + step;
    return { family, bytes: moved };
  });
}

/** Routes that come and go; a number is the place of the one that goes. */
function changes(family: Family): fc.Arbitrary<(Route | number)[]> {
  return fc.array(
    fc.oneof(
      { weight: 3, arbitrary: route(family) },
      { weight: 1, arbitrary: fc.nat(39) },
    ),
    { maxLength: 40 },
  );
}

/** Fails where the table and the search of all routes differ. */
function assertSame(
  table: RouteTable,
  list: readonly Route[],
  targets: readonly IpNetwork[],
): void {
  for (const target of targets) {
    const found = target.family === 4
      ? table.lookupIpv4(target.bytes, 0)
      : table.lookupIpv6(target.bytes, 0);
    assert.equal(found, slowLookup(list, target));
  }
}

for (const family of [4, 6] as const) {
  Deno.test(`the IPv${family} table finds what a search of all routes finds, also of those that were removed`, () => {
    const table = new RouteTable(RouteTable.allocate());
    fc.assert(
      fc.property(
        changes(family),
        fc.nat(40),
        fc.array(network(family), { minLength: 1, maxLength: 20 }),
        (changes, between, others) => {
          const routes = new Routes();
          // Even without a route: the table of the last run is replaced.
          routes.put({ network: ethernet, prefixLength: 0, mux: 1 });
          let list: Route[] = [];
          const seen = [...others];
          for (const [step, change] of changes.entries()) {
            const gone = typeof change === "number" ? list[change] : change;
            if (gone === undefined) continue;
            const isThere = list.some((one) => isSame(one, gone));
            list = list.filter((one) => !isSame(one, gone));
            if (gone === change) {
              list.push(gone);
              routes.put(gone);
              if (gone.network.family === family) {
                seen.push(...nearby(gone.network));
              }
            } else assert.equal(routes.remove(gone), isThere);
            if (step === between) routes.publish(table);
          }
          routes.publish(table);
          assertSame(table, list, seen);
        },
      ),
      { numRuns: 300 },
    );
  });
}

/** Whether two routes have the same address and length, as they came. */
function isSame(a: Route, b: Route): boolean {
  return a.prefixLength === b.prefixLength &&
    textOf(a.network) === textOf(b.network);
}

function textOf(network: Route["network"]): string {
  return network.family === "ethernet"
    ? `ethernet ${network.value}`
    : network.bytes.join();
}

const ethernet = { family: "ethernet", value: 1n } as const;
