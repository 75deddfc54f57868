/**
 * A super-packet in the making: which packets belong to it and what its headers
 * are.
 *
 * @module
 */

import type { PacketMemory } from "./bytes.ts";
import { type PacketHeaders, PSH, TCP } from "./headers.ts";
import * as virtio from "./virtio.ts";

/**
 * Packets in a super-packet: UDP_MAX_SEGMENTS of older Linux kernels, which
 * refuse a UDP one of more.
 */
const MAX_PACKETS = 64;

/** The most pieces of a super-packet: its headers, and each payload. */
export const MAX_PIECES = 1 + MAX_PACKETS;

/** What a group keeps: a virtio header, Ethernet with VLAN, IPv6 and TCP. */
export const GROUP_SCRATCH_SIZE = virtio.VIRTIO_HEADER_SIZE + 18 + 40 + 60;

/** The length fields of IPv4, IPv6 and UDP have 16 bits. */
const MAX_IP_SIZE = 0xffff;

const DONT_FRAGMENT = 0x4000;

/** Packets of one flow that follow on each other. It is used again and again. */
export class Group {
  readonly #memory: PacketMemory;
  readonly #scratch: number;

  /** Packets in it; 0 while it is not in use. */
  count = 0;
  /** No packet can be appended any more. */
  complete = false;
  /** TCP or UDP. */
  protocol = 0;
  /** Both ports of its flow, as they are in the header. */
  ports = 0;
  /** When it was begun: less is older. */
  age = 0;

  // The first packet.
  /** Where the first packet begins. */
  packet = 0;
  /** Where the first packet ends. */
  end = 0;
  #network = 0;
  #transport = 0;
  #payload = 0;
  #v6 = false;

  // All packets together.
  #segmentSize = 0;
  #size = 0; // from the IP header on
  #sequence = 0; // of the next packet
  #idStep = 0;
  #pushed = false;

  /** Where the pieces of the super-packet are. */
  readonly pieceAt: Uint32Array = new Uint32Array(MAX_PIECES);
  /** The sizes of the pieces in bytes. */
  readonly pieceSize: Uint32Array = new Uint32Array(MAX_PIECES);

  /**
   * @param memory holds the packets and the scratch space
   * @param scratch where {@linkcode GROUP_SCRATCH_SIZE} bytes are free
   */
  constructor(memory: PacketMemory, scratch: number) {
    this.#memory = memory;
    this.#scratch = scratch;
  }

  /**
   * Begins with a first packet, whole, with payload and without PSH.
   *
   * @param headers of the packet
   * @param protocol TCP or UDP
   * @param ports of its flow, as they are in the header
   * @param age when that was: less is older
   */
  start(
    headers: PacketHeaders,
    protocol: number,
    ports: number,
    age: number,
  ): void {
    this.ports = ports;
    this.age = age;
    this.packet = headers.packet;
    this.end = headers.end;
    this.#network = headers.network;
    this.#transport = headers.transport;
    this.#payload = headers.payload;
    this.protocol = protocol;
    this.#v6 = headers.v6;
    this.#segmentSize = headers.end - headers.payload;
    this.#size = headers.end - headers.network;
    if (protocol === TCP) {
      const sequence = this.#memory.view.getInt32(headers.transport + 4);
      this.#sequence = (sequence + this.#segmentSize) | 0;
    }
    this.#pushed = false;
    this.complete = false;
    this.count = 1;
    this.pieceAt[1] = headers.payload;
    this.pieceSize[1] = this.#segmentSize;
  }

  /** Whether a packet is between the same two hosts, in this direction. */
  sharesHosts(headers: PacketHeaders): boolean {
    if (this.#v6 !== headers.v6) return false;
    return this.#v6
      ? this.#equal(this.#network + 8, headers.network + 8, 32)
      : this.#equal(this.#network + 12, headers.network + 12, 8);
  }

  /**
   * Appends a packet of the same flow, whole and with payload, if it follows on
   * the last one.
   *
   * @param headers of the packet
   * @returns false if it does not follow; the group is as it was
   */
  append(headers: PacketHeaders): boolean {
    const payloadSize = headers.end - headers.payload;
    if (
      payloadSize > this.#segmentSize ||
      this.#size + payloadSize > MAX_IP_SIZE ||
      (this.protocol === TCP && !this.#tcpFollows(headers)) ||
      !this.#linkAgrees(headers) ||
      !(this.#v6 ? this.#ipv6Agrees(headers) : this.#ipv4Follows(headers))
    ) return false;

    if (this.protocol === TCP) {
      const flags = this.#memory.view.getUint8(headers.transport + 13);
      this.#pushed = (flags & PSH) !== 0;
      this.#sequence = (this.#sequence + payloadSize) | 0;
    }
    this.#size += payloadSize;
    this.count++;
    this.pieceAt[this.count] = headers.payload;
    this.pieceSize[this.count] = payloadSize;
    this.complete = this.#pushed || payloadSize < this.#segmentSize ||
      this.count === MAX_PACKETS;
    return true;
  }

  /**
   * Writes the headers of the super-packet and makes them its first piece.
   *
   * @returns the number of pieces
   */
  gather(): number {
    const memory = this.#memory;
    const at = this.#scratch + virtio.VIRTIO_HEADER_SIZE;
    const headerSize = this.#payload - this.packet;
    const networkAt = this.#network - this.packet;
    const transportAt = this.#transport - this.packet;
    memory.copy(at, this.packet, headerSize);
    this.#writeNetwork(at + networkAt);
    this.#writeTransport(at + transportAt);
    const tcp = this.protocol === TCP;
    virtio.writeSuperHeader(
      memory.view,
      this.#scratch,
      tcp ? this.#v6 ? virtio.GSO_TCPV6 : virtio.GSO_TCPV4 : virtio.GSO_UDP_L4,
      headerSize,
      this.#segmentSize,
      transportAt,
      tcp ? virtio.TCP_CSUM_OFFSET : virtio.UDP_CSUM_OFFSET,
    );
    this.pieceAt[0] = this.#scratch;
    this.pieceSize[0] = virtio.VIRTIO_HEADER_SIZE + headerSize;
    return 1 + this.count;
  }

  #linkAgrees(headers: PacketHeaders): boolean {
    const size = headers.network - headers.packet;
    return size === this.#network - this.packet &&
      this.#equal(this.packet, headers.packet, size);
  }

  #ipv4Follows(headers: PacketHeaders): boolean {
    const view = this.#memory.view;
    const a = this.#network;
    const b = headers.network;
    const fragment = view.getUint16(b + 6);
    if (
      view.getUint8(a + 1) !== view.getUint8(b + 1) || // type of service
      view.getUint16(a + 6) !== fragment ||
      view.getUint8(a + 8) !== view.getUint8(b + 8) // time to live
    ) return false;
    const ahead = (view.getUint16(b + 4) - view.getUint16(a + 4)) & 0xffff;
    if (this.count === 1) {
      this.#idStep = ahead;
      return ahead === 1 || (ahead === 0 && fragment === DONT_FRAGMENT);
    }
    return ahead === this.count * this.#idStep;
  }

  #ipv6Agrees(headers: PacketHeaders): boolean {
    const view = this.#memory.view;
    const a = this.#network;
    const b = headers.network;
    return view.getInt32(a) === view.getInt32(b) && // class and flow label
      view.getUint8(a + 7) === view.getUint8(b + 7); // hop limit
  }

  #tcpFollows(headers: PacketHeaders): boolean {
    const view = this.#memory.view;
    const a = this.#transport;
    const b = headers.transport;
    return view.getInt32(b + 4) === this.#sequence &&
      view.getInt32(a + 8) === view.getInt32(b + 8) && // acknowledgement
      view.getUint8(a + 12) === view.getUint8(b + 12) && // size
      view.getUint16(a + 14) === view.getUint16(b + 14) && // window
      view.getUint16(a + 18) === view.getUint16(b + 18) && // urgent pointer
      this.#equal(a + 20, b + 20, this.#payload - a - 20);
  }

  /** Compares an even number of bytes. */
  #equal(a: number, b: number, size: number): boolean {
    const view = this.#memory.view;
    for (let i = 0; i < size; i += 2) {
      if (view.getUint16(a + i) !== view.getUint16(b + i)) return false;
    }
    return true;
  }

  #writeNetwork(at: number): void {
    const view = this.#memory.view;
    if (this.#v6) {
      view.setUint16(at + 4, this.#size - 40);
      return;
    }
    view.setUint16(at + 2, this.#size);
    view.setUint16(at + 10, 0);
    view.setUint16(at + 10, ~this.#memory.sum(at, 20, 0));
  }

  #writeTransport(at: number): void {
    const view = this.#memory.view;
    const length = this.#size - (this.#transport - this.#network);
    // NEEDS_CSUM: the checksum is the sum of the pseudo-header so far.
    const pseudo = this.#memory.sum(
      this.#network + (this.#v6 ? 8 : 12),
      this.#v6 ? 32 : 8,
      this.protocol + length,
    );
    if (this.protocol === TCP) {
      const flags = view.getUint8(at + 13);
      view.setUint8(at + 13, this.#pushed ? flags | PSH : flags);
      view.setUint16(at + virtio.TCP_CSUM_OFFSET, pseudo);
    } else {
      view.setUint16(at + 4, length);
      view.setUint16(at + virtio.UDP_CSUM_OFFSET, pseudo);
    }
  }
}
