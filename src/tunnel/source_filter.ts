// Source filter: a connection delivers packets from the networks that are routed
// to it, and from no others (RFC 2827).
//
// There are no exceptions by address. A default route lets its connection send
// from wherever no longer prefix leads elsewhere. Link-local sources have to be
// routed like others: a router advertisement from one would otherwise give this
// host the peer for its gateway.
import type { IpAddress } from "../net/address.ts";
import { IPV4_BYTES, IPV6_BYTES } from "../offload/fields.ts";
import type { RouteTable } from "../route/table.ts";
import type { TunnelSettings } from "./settings.ts";

const ICMP = 1;
const ICMPV6 = 58;
const ICMP_BYTES = 8;

export class SourceFilter {
  readonly #routes: RouteTable;

  constructor(routes: RouteTable) {
    this.#routes = routes;
  }

  /** Whether a packet that a connection brought may go to the device. */
  passes(memory: Uint8Array, at: number, size: number, mux: number): boolean {
    const routes = this.#routes;
    return routes.lookupSource(memory, at, size) === mux ||
      this.#isErrorFromWithin(memory, at, size, mux) || routes.isEmpty;
  }

  // Any router on the way reports an error, and its address may be in no route:
  // without these path MTU discovery fails (RFC 2923). What counts is that the
  // packet it quotes went to this connection, so that it harms no other.
  #isErrorFromWithin(
    memory: Uint8Array,
    at: number,
    size: number,
    mux: number,
  ): boolean {
    const quoted = quotedPacket(memory, at, size);
    return quoted >= 0 &&
      this.#routes.lookup(memory, quoted, at + size - quoted) === mux;
  }
}

/** Frames of Ethernet (tap) are not filtered: routing knows IP alone. */
export function sourceFilterOf(
  { deviceType, anySource }: Pick<TunnelSettings, "deviceType" | "anySource">,
  routes: RouteTable | undefined,
): SourceFilter | undefined {
  if (routes === undefined || deviceType !== "tun" || anySource) return;
  return new SourceFilter(routes);
}

/** The source address of a packet; for people, not for each packet. */
export function sourceOf(
  memory: Uint8Array,
  at: number,
  size: number,
): IpAddress | undefined {
  return addressAt(memory, at, size, { 4: 12, 6: 8 });
}

/** Where the packet begins that an ICMP error is about, or -1. */
function quotedPacket(memory: Uint8Array, at: number, size: number): number {
  const first = memory[at] ?? 0;
  const isV4 = first >>> 4 === 4;
  const header = isV4 ? (first & 15) * 4 : IPV6_BYTES;
  const least = isV4 ? IPV4_BYTES : IPV6_BYTES;
  const quoted = at + header + ICMP_BYTES;
  if (header < least || at + size - quoted < least) return -1;
  const isError = isV4
    ? isIcmpError(memory, at, memory[at + header] ?? 0)
    : memory[at + 6] === ICMPV6 && isIcmpV6Error(memory[at + header] ?? 0);
  return isError && (memory[quoted] ?? 0) >>> 4 === first >>> 4 ? quoted : -1;
}

// Not a fragment: unreachable, time exceeded or parameter problem (RFC 792). A
// redirect is no error.
function isIcmpError(memory: Uint8Array, at: number, type: number): boolean {
  const fragment = (memory[at + 6] ?? 0) & 0x3f | (memory[at + 7] ?? 0);
  return memory[at + 9] === ICMP && fragment === 0 &&
    (type === 3 || type === 11 || type === 12);
}

/** RFC 4443 section 2.1, those that have been given a meaning. */
function isIcmpV6Error(type: number): boolean {
  return type >= 1 && type <= 4;
}

/** As {@link sourceOf}, where the packet goes. */
export function destinationOf(
  memory: Uint8Array,
  at: number,
  size: number,
): IpAddress | undefined {
  return addressAt(memory, at, size, { 4: 16, 6: 24 });
}

/** @param places Of the address in the headers of either family */
function addressAt(
  memory: Uint8Array,
  at: number,
  size: number,
  places: { readonly 4: number; readonly 6: number },
): IpAddress | undefined {
  const family = (memory[at] ?? 0) >>> 4;
  if (family === 4 && size >= IPV4_BYTES) {
    return { family, bytes: memory.slice(at + places[4], at + places[4] + 4) };
  }
  if (family === 6 && size >= IPV6_BYTES) {
    return { family, bytes: memory.slice(at + places[6], at + places[6] + 16) };
  }
  return undefined;
}

/** Of RFC 5771 and RFC 4291 section 2.7, and the broadcast address. */
export function goesToMany(
  memory: Uint8Array,
  at: number,
  size: number,
): boolean {
  return (memory[at] ?? 0) >>> 4 === 4
    ? size >= IPV4_BYTES && (memory[at + 16] ?? 0) >= 224
    : size >= IPV6_BYTES && memory[at + 24] === 0xff;
}
