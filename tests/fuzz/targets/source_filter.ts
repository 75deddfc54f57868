// Packets that a peer sends from anywhere, before the source filter.
import { strict as assert } from "node:assert";
import { counting, ipPacket, udpPacket } from "../../../lab/packets.ts";
import { parsePrefix } from "../../../src/net/prefix.ts";
import { Routes } from "../../../src/route/routes.ts";
import { RouteTable } from "../../../src/route/table.ts";
import { SourceFilter } from "../../../src/tunnel/source_filter.ts";
import type { Target } from "../target.ts";

const AT = 32;
const MAX_PACKET = 160;
const MUXES = 4;

/** Those of IPv4 and IPv6, the longer prefixes behind the shorter ones. */
const ROUTES = [
  ...[["10.0.0.0/8", 1], ["10.1.0.0/16", 2], ["10.1.2.3/32", 3]],
  ...[["2001:db8::/32", 1], ["2001:db8:1::/48", 2], ["fe80::/10", 3]],
] as const;

const FIELDS = {
  4: { header: 20, source: 12, destination: 16, length: 4, protocol: 9 },
  6: { header: 40, source: 8, destination: 24, length: 16, protocol: 6 },
} as const;
const ERRORS = { 4: [3, 11, 12], 6: [1, 2, 3, 4] } as const;
const ICMP = { 4: 1, 6: 58 } as const;

interface Known {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly mux: number;
}

/** An input is a mux and a packet. */
export default function open(): Target {
  const routes = new Routes();
  const known: Known[] = [];
  for (const [text, mux] of ROUTES) {
    const prefix = parsePrefix(text);
    assert.ok(prefix !== undefined);
    const { address: network, length } = prefix;
    routes.put({ network, prefixLength: length, mux });
    known.push({ ...network, length, mux });
  }
  const table = new RouteTable(RouteTable.allocate());
  routes.publish(table);
  const filter = new SourceFilter(table);
  const memory = new Uint8Array(2 * AT + MAX_PACKET);
  const from = (address: Uint8Array, version: 4 | 6) => {
    const packet = udpPacket({ version }, { payload: counting(8) });
    packet.set(address, FIELDS[version].source);
    packet.set(address, FIELDS[version].destination);
    return packet;
  };
  const sources = known.map(({ bytes, family }) => from(bytes, family));
  const error = (type: number, about: Uint8Array, version: 4 | 6) =>
    ipPacket(
      { version, fragment: 0 },
      ICMP[version],
      Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0, ...about),
    );
  return {
    seeds: known.flatMap(({ family, mux }, k) => {
      const packet = sources[k] ?? new Uint8Array();
      return [packet, error(ERRORS[family][0], packet, family)]
        .map((whole) => Uint8Array.of(mux, ...whole));
    }),
    maxBytes: 1 + MAX_PACKET,
    run(input) {
      const mux = (input[0] ?? 0) % MUXES;
      const packet = input.subarray(1);
      const expected = passes(packet, mux, known);
      // What lies around it does not matter.
      for (const around of [0, 0x45, 0xff]) {
        memory.fill(around);
        memory.set(packet, AT);
        const { length } = packet;
        assert.equal(filter.passes(memory, AT, length, mux), expected);
      }
    },
  };
}

function passes(
  packet: Uint8Array,
  mux: number,
  known: readonly Known[],
): boolean {
  const family = (packet[0] ?? 0) >> 4;
  if (family !== 4 && family !== 6) return false;
  const { source, header, protocol } = FIELDS[family];
  if (muxOf(packet, family, source, known) === mux) return true;
  const size = family === 4 ? ((packet[0] ?? 0) & 15) * 4 : header;
  const quoted = packet.subarray(size + 8);
  const isError = size >= header && packet[protocol] === ICMP[family] &&
    ERRORS[family].some((type) => type === packet[size]) &&
    (family === 6 || ((packet[6] ?? 0) & 0x3f | (packet[7] ?? 0)) === 0);
  const { destination } = FIELDS[family];
  return isError && (quoted[0] ?? 0) >> 4 === family &&
    muxOf(quoted, family, destination, known) === mux;
}

function muxOf(
  packet: Uint8Array,
  family: 4 | 6,
  at: number,
  known: readonly Known[],
): number | undefined {
  const { header, length } = FIELDS[family];
  if (packet.length < header) return undefined;
  const address = packet.subarray(at, at + length);
  return known.findLast((route) =>
    route.family === family && covers(route, address)
  )?.mux;
}

function covers({ bytes, length }: Known, address: Uint8Array): boolean {
  for (let k = 0; k < length; k++) {
    const mask = 0x80 >> (k & 7);
    if (((bytes[k >> 3] ?? 0) ^ (address[k >> 3] ?? 0)) & mask) return false;
  }
  return true;
}
