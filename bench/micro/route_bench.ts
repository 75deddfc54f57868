/**
 * Looking up the destinations of packets in 10 000 routes, filtering by their
 * sources, and putting such a table up.
 *
 * @module
 */
import type { Route } from "../../src/route/route.ts";
import { Routes } from "../../src/route/routes.ts";
import { RouteTable } from "../../src/route/table.ts";
import { SourceFilter } from "../../src/tunnel/source_filter.ts";

const ROUTES = 10_000;
const PACKETS = 1024;

/** The same numbers in every run (Numerical Recipes' generator). */
let state = 1;
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * below);
}

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}

for (const family of [4, 6] as const) {
  const bytes = family === 4 ? 4 : 16;
  const shortest = family === 4 ? 16 : 32;
  const list = Array.from({ length: ROUTES }, (_, mux): Route => ({
    network: { family, bytes: randomBytes(bytes) },
    prefixLength: shortest + random(bytes * 8 - shortest + 1),
    mux,
  }));
  const group = `IPv${family}, ${ROUTES} routes`;

  const table = new RouteTable(RouteTable.allocate());
  const publish = () => {
    const routes = new Routes();
    for (const route of list) routes.put(route);
    routes.publish(table);
  };
  publish();

  // Half of the packets hit a route.
  const memory = new Uint8Array(PACKETS * bytes);
  for (let i = 0; i < PACKETS; i++) {
    const { network } = list[random(ROUTES)] ?? {};
    const hit = i % 2 === 0 && network !== undefined &&
      network.family !== "ethernet";
    memory.set(hit ? network.bytes : randomBytes(bytes), i * bytes);
  }

  let sum = 0;
  Deno.bench(`look up ${PACKETS} destinations`, { group }, () => {
    for (let i = 0; i < PACKETS; i++) {
      sum += family === 4
        ? table.lookupIpv4(memory, i * bytes)
        : table.lookupIpv6(memory, i * bytes);
    }
  });

  // Of the same addresses, those that hit as sources.
  const header = family === 4 ? 20 : 40;
  const packets = new Uint8Array(PACKETS * header);
  const muxes = Int32Array.from({ length: PACKETS }, (_, i) => {
    const from = (i - i % 2) * bytes;
    const source = memory.subarray(from, from + bytes);
    packets[i * header] = family << 4 | 5;
    packets.set(source, i * header + (family === 4 ? 12 : 8));
    return family === 4
      ? table.lookupIpv4(source, 0)
      : table.lookupIpv6(source, 0);
  });
  const filter = new SourceFilter(table);
  Deno.bench(`filter ${PACKETS} sources`, { group }, () => {
    for (let i = 0; i < PACKETS; i++) {
      const passes = filter.passes(packets, i * header, header, muxes[i] ?? 0);
      sum += passes ? 1 : 0;
    }
  });
  Deno.bench("put up the table", { group }, publish);
  globalThis.addEventListener("unload", () => void sum);
}
