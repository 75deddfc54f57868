/**
 * Places of the headers of a packet: Ethernet, IPv4 (RFC 791), IPv6 (RFC 8200),
 * TCP (RFC 9293) and UDP (RFC 768).
 *
 * @module
 */

import type { PacketMemory } from "./bytes.ts";
import {
  DESTINATION_OPTIONS,
  FRAGMENT,
  HOP_BY_HOP,
  ROUTING,
} from "./extension_headers.ts";
import { IPV4_BYTES, IPV6_BYTES } from "./fields.ts";

/** Answer of {@linkcode PacketHeaders.read}: neither TCP nor UDP. */
export const OTHER = 0;
/**
 * Answer of {@linkcode PacketHeaders.read}: TCP or UDP between known hosts, but
 * a fragment or with lengths that disagree. `transport`, `payload` and `bare`
 * mean nothing then.
 */
export const UNCLEAR = 1;
/** Answer of {@linkcode PacketHeaders.read}: TCP (its protocol number). */
export const TCP = 6;
/** Answer of {@linkcode PacketHeaders.read}: UDP (its protocol number). */
export const UDP = 17;

/** TCP flags, in the order of their bits (RFC 9293 section 3.1). */
export const FIN = 0x01, PSH = 0x08, ACK = 0x10, CWR = 0x80;

const ETHERNET_SIZE = 14;
const VLAN_TAG_SIZE = 4;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_IPV6 = 0x86dd;

/**
 * Finds the headers of one packet at a time. What it found stands in its
 * fields, as offsets into the packet memory, until the next packet.
 */
export class PacketHeaders {
  readonly #memory: PacketMemory;
  readonly #ethernet: boolean;

  /** Where the packet begins. */
  packet = 0;
  /** Where the packet ends. */
  end = 0;
  /** Where the IP header begins. */
  network = 0;
  /** Where the TCP or UDP header begins. */
  transport = 0;
  /** Where the payload of TCP or UDP begins. */
  payload = 0;
  /** IPv6, else IPv4. */
  v6 = false;
  /** The IP header has no options and no extension headers. */
  bare = false;

  /**
   * @param memory where the packets are
   * @param ethernet packets begin with an Ethernet header
   */
  constructor(memory: PacketMemory, ethernet: boolean) {
    this.#memory = memory;
    this.#ethernet = ethernet;
  }

  /**
   * Finds the headers of a packet. Nothing outside of it is read.
   *
   * @param at where the packet begins
   * @param size of the packet in bytes
   * @returns TCP or UDP if all headers are whole and all lengths agree with
   *   `size`, else UNCLEAR or OTHER
   */
  read(at: number, size: number): number {
    const end = at + size;
    this.packet = at;
    this.end = end;
    const network = this.#ethernet ? this.#skipEthernet(at, end) : at;
    if (network < 0 || end - network < IPV4_BYTES) return OTHER;
    this.network = network;
    switch (this.#memory.view.getUint8(network) >> 4) {
      case 4:
        return this.#readIpv4(network, end);
      case 6:
        return this.#readIpv6(network, end);
      default:
        return OTHER;
    }
  }

  /** The one's complement sum of both IP addresses. */
  addressSum(): number {
    return this.v6
      ? this.#memory.sum(this.network + 8, 32, 0)
      : this.#memory.sum(this.network + 12, 8, 0);
  }

  /** Returns where IP begins, or -1 if it is none. */
  #skipEthernet(at: number, end: number): number {
    const view = this.#memory.view;
    let network = at + ETHERNET_SIZE;
    if (network + IPV4_BYTES > end) return -1;
    let type = view.getUint16(network - 2);
    if (type === ETHERTYPE_VLAN) {
      network += VLAN_TAG_SIZE;
      type = view.getUint16(network - 2);
    }
    const version = view.getUint8(network) >> 4;
    if (type === ETHERTYPE_IPV4 && version === 4) return network;
    if (type === ETHERTYPE_IPV6 && version === 6) return network;
    return -1;
  }

  #readIpv4(at: number, end: number): number {
    const view = this.#memory.view;
    this.v6 = false;
    const protocol = view.getUint8(at + 9);
    if (protocol !== TCP && protocol !== UDP) return OTHER;
    const headerSize = (view.getUint8(at) & 0x0f) * 4;
    // All but "don't fragment" must be 0: reserved, more, and the offset.
    const fragment = view.getUint16(at + 6) & 0xbfff;
    if (headerSize < IPV4_BYTES || fragment !== 0) return UNCLEAR;
    if (view.getUint16(at + 2) !== end - at) return UNCLEAR;
    this.bare = headerSize === IPV4_BYTES;
    return this.#readTransport(protocol, at + headerSize, end);
  }

  #readIpv6(at: number, end: number): number {
    const view = this.#memory.view;
    this.v6 = true;
    if (end - at < IPV6_BYTES) return OTHER;
    let next = view.getUint8(at + 6);
    let transport = at + IPV6_BYTES;
    while (
      next === HOP_BY_HOP || next === ROUTING || next === DESTINATION_OPTIONS
    ) {
      if (transport + 8 > end) return UNCLEAR;
      next = view.getUint8(transport);
      transport += (view.getUint8(transport + 1) + 1) * 8;
    }
    if (next === FRAGMENT) return UNCLEAR;
    if (next !== TCP && next !== UDP) return OTHER;
    if (view.getUint16(at + 4) !== end - at - IPV6_BYTES) return UNCLEAR;
    this.bare = transport === at + IPV6_BYTES;
    return this.#readTransport(next, transport, end);
  }

  #readTransport(protocol: number, at: number, end: number): number {
    const view = this.#memory.view;
    this.transport = at;
    if (protocol === UDP) {
      this.payload = at + 8;
      if (this.payload > end) return UNCLEAR;
      return view.getUint16(at + 4) === end - at ? UDP : UNCLEAR;
    }
    if (at + 20 > end) return UNCLEAR;
    const headerSize = (view.getUint8(at + 12) >> 4) * 4;
    this.payload = at + headerSize;
    return headerSize >= 20 && this.payload <= end ? TCP : UNCLEAR;
  }
}
