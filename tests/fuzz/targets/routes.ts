// Routes as others tell of them, and packets to anywhere.
import { strict as assert } from "node:assert";
import { AddressRanges, NO_MUX } from "../../../src/route/ranges.ts";
import type { Route } from "../../../src/route/route.ts";
import { Routes } from "../../../src/route/routes.ts";
import { RouteTable } from "../../../src/route/table.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const MUXES = 8;
const HEADER_BYTES = { 4: 20, 6: 40 } as const;
const DESTINATION_AT = { 4: 16, 6: 24 } as const;

type Family = 4 | 6;

interface Known {
  readonly family: Family;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly mux: number;
}

/** An input is a list of routes and of packets. */
export default function open(): Target {
  const table = new RouteTable(RouteTable.allocate());
  return {
    seeds: [
      Uint8Array.of(
        0,
        8,
        1,
        10,
        0,
        0,
        0,
        0,
        16,
        2,
        10,
        1,
        0,
        0,
        2,
        10,
        1,
        2,
        3,
      ),
      Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0, 32, 3, 10, 9, 8, 7, 2, 10, 9, 8, 7),
      Uint8Array.of(
        ...[1, 32, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ...[3, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
      ),
    ],
    maxBytes: 200,
    run(input) {
      const bytes = new ByteReader(input);
      const routes = new Routes();
      const known: Known[] = [];
      table.publish(new AddressRanges(1), new AddressRanges(4));
      while (!bytes.isAtEnd) {
        const kind = bytes.byte();
        const family = kind & 1 ? 6 : 4;
        if (kind & 2) look(bytes, family, table, known);
        else {
          put(bytes, family, routes, known);
          routes.publish(table);
        }
      }
      assert.ok(routes.list().length <= known.length);
    },
  };
}

function put(
  bytes: ByteReader,
  family: Family,
  routes: Routes,
  known: Known[],
): void {
  const length = bytes.byte();
  const mux = bytes.byte() % MUXES;
  const address = new Uint8Array(family === 4 ? 4 : 16);
  address.set(bytes.take(address.length));
  const network: Route["network"] = { family, bytes: address };
  assert.ok(routes.put({ network, prefixLength: length, mux }));
  known.push({ family, bytes: address, length, mux });
}

function look(
  bytes: ByteReader,
  family: Family,
  table: RouteTable,
  known: readonly Known[],
): void {
  const packet = new Uint8Array(HEADER_BYTES[family]);
  packet[0] = family << 4;
  const address = bytes.take(family === 4 ? 4 : 16);
  packet.set(address, DESTINATION_AT[family]);
  const destination = packet.subarray(DESTINATION_AT[family]);
  let best: Known | undefined;
  for (const one of known) {
    if (one.family !== family || !covers(one, destination)) continue;
    // Of equal ones the last counts.
    if (best === undefined || bits(one) >= bits(best)) best = one;
  }
  const found = table.lookup(packet, 0, packet.length);
  assert.equal(found, best?.mux ?? NO_MUX);
}

function bits({ bytes, length }: Known): number {
  return Math.min(length, 8 * bytes.length);
}

function covers(route: Known, destination: Uint8Array): boolean {
  for (let k = 0; k < bits(route); k++) {
    const mask = 0x80 >> (k & 7);
    const a = (route.bytes[k >> 3] ?? 0) & mask;
    if (a !== ((destination[k >> 3] ?? 0) & mask)) return false;
  }
  return true;
}
