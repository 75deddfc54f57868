/**
 * Segmentation of what the device hands out: a super-packet becomes the packets
 * that a host without offloads would have sent.
 *
 * @module
 */

import type { PacketMemory } from "./bytes.ts";
import { CWR, FIN, PacketHeaders, PSH, TCP, UDP } from "./headers.ts";
import * as virtio from "./virtio.ts";

/** Answer of {@linkcode Segmenter.begin}: the packet makes no sense. */
export const MALFORMED = -1;
/** Answer of {@linkcode Segmenter.begin}: there is no room for its segments. */
export const TOO_LONG = -2;
/** Answer of {@linkcode Segmenter.begin}: one packet, finished in its place. */
export const IN_PLACE = 0;

/**
 * Makes whole packets of the TCP and UDP super-packets of a device with
 * IFF_VNET_HDR, one after the other and, when room runs out, in several steps.
 *
 * As the Linux kernel does it: every segment has the headers of the
 * super-packet with its own lengths, checksums, TCP sequence number and IPv4
 * identification (one more each); FIN and PSH are on the last one only, CWR on
 * the first one only (RFC 3168 section 6.1.2).
 *
 * @example
 * ```ts ignore
 * let left = segmenter.begin(at, size);
 * if (left === IN_PLACE) send(at + VIRTIO_HEADER_SIZE);
 * while (left > 0) {
 *   const written = segmenter.next(to, gap, sizes, 0, 64);
 *   send(to, sizes, written);
 *   left -= written;
 * }
 * ```
 */
export class Segmenter {
  readonly #memory: PacketMemory;
  readonly #headers: PacketHeaders;
  readonly #room: number;

  // The super-packet: its headers have zeros where the segments differ.
  #packet = 0;
  #headerSize = 0;
  #networkAt = 0; // from the packet's beginning
  #transportAt = 0;
  #protocol = 0;
  #v6 = false;
  #segmentSize = 0; // payload of each but the last
  #networkSum = 0; // of the IPv4 header
  #transportSum = 0; // of pseudo-header and transport header
  #flags = 0;

  // What the next segment has.
  #first = false;
  #payload = 0;
  #payloadLeft = 0;
  #identification = 0;
  #sequence = 0;

  /**
   * @param memory holds the super-packets and the slots
   * @param ethernet packets begin with an Ethernet header (tap)
   * @param room the largest segment that is made, in bytes
   */
  constructor(memory: PacketMemory, ethernet: boolean, room: number) {
    this.#memory = memory;
    this.#headers = new PacketHeaders(memory, ethernet);
    this.#room = room;
  }

  /**
   * Begins with what was read from the device. An unfinished super-packet
   * before it is forgotten.
   *
   * @param at where its virtio header is; the packet follows
   * @param size of both in bytes
   * @returns the number of segments to get from {@linkcode next};
   *   {@linkcode IN_PLACE} if it was one packet, now finished where it is; or
   *   {@linkcode MALFORMED}, or {@linkcode TOO_LONG}: then it is as it was
   */
  begin(at: number, size: number): number {
    this.#payloadLeft = 0;
    const packetSize = size - virtio.VIRTIO_HEADER_SIZE;
    if (packetSize <= 0) return MALFORMED;
    if (virtio.gsoType(this.#memory.view, at) === virtio.GSO_NONE) {
      return this.#finish(at, packetSize);
    }
    if (!this.#readSuperPacket(at, packetSize)) return MALFORMED;
    const payload = Math.min(this.#segmentSize, this.#payloadLeft);
    if (this.#headerSize + payload > this.#room) {
      this.#payloadLeft = 0;
      return TOO_LONG;
    }
    this.#prepareNetwork();
    this.#prepareTransport(virtio.flags(this.#memory.view, at));
    return Math.ceil(this.#payloadLeft / this.#segmentSize);
  }

  /**
   * Writes the next segments of the super-packet that was begun, which must be
   * intact and must not overlap them.
   *
   * @param to where the first segment goes
   * @param gap bytes from the end of a segment to the beginning of the next
   * @param sizes takes the sizes of the segments in bytes
   * @param index of the first segment's size in `sizes`
   * @param most how many segments there is room for
   * @returns how many were written, 0 if the super-packet is finished
   */
  next(
    to: number,
    gap: number,
    sizes: Uint32Array,
    index: number,
    most: number,
  ): number {
    let written = 0;
    let at = to;
    while (written < most && this.#payloadLeft > 0) {
      const size = this.#writeSegment(at);
      sizes[index + written++] = size;
      at += size + gap;
    }
    return written;
  }

  /** Completes the checksum of a packet that is none of ours to segment. */
  #finish(at: number, size: number): number {
    const view = this.#memory.view;
    if ((virtio.flags(view, at) & virtio.NEEDS_CSUM) === 0) return IN_PLACE;
    const packet = at + virtio.VIRTIO_HEADER_SIZE;
    const start = virtio.csumStart(view, at);
    const field = start + virtio.csumOffset(view, at);
    if (field + 2 > size) return MALFORMED;
    // The field holds the pseudo-header's sum and is part of what is summed.
    const sum = this.#memory.sum(packet + start, size - start, 0);
    view.setUint16(packet + field, orAllOnes(~sum));
    return IN_PLACE;
  }

  /** Finds and checks everything; returns whether it is a super-packet. */
  #readSuperPacket(at: number, size: number): boolean {
    const view = this.#memory.view;
    const headers = this.#headers;
    const packet = at + virtio.VIRTIO_HEADER_SIZE;
    const protocol = headers.read(packet, size);
    if (!carries(virtio.gsoType(view, at), protocol, headers.v6)) return false;

    const transportAt = headers.transport - packet;
    const headerSize = headers.payload - packet;
    const payloadSize = size - headerSize;
    const segmentSize = virtio.gsoSize(view, at);
    if (segmentSize === 0 || payloadSize === 0) return false;
    if ((virtio.flags(view, at) & virtio.NEEDS_CSUM) !== 0) {
      // Otherwise the checksum is that of a tunnel within the packet.
      const offset = protocol === TCP
        ? virtio.TCP_CSUM_OFFSET
        : virtio.UDP_CSUM_OFFSET;
      if (virtio.csumStart(view, at) !== transportAt) return false;
      if (virtio.csumOffset(view, at) !== offset) return false;
    }

    this.#packet = packet;
    this.#headerSize = headerSize;
    this.#networkAt = headers.network - packet;
    this.#transportAt = transportAt;
    this.#protocol = protocol;
    this.#v6 = headers.v6;
    this.#segmentSize = segmentSize;
    this.#first = true;
    this.#payload = headers.payload;
    this.#payloadLeft = payloadSize;
    return true;
  }

  /** Sums the part of the IPv4 header that all segments share. */
  #prepareNetwork(): void {
    if (this.#v6) return;
    const view = this.#memory.view;
    const at = this.#packet + this.#networkAt;
    this.#identification = view.getUint16(at + 4);
    view.setUint32(at + 2, 0); // length, identification
    view.setUint16(at + 10, 0); // checksum
    const size = (view.getUint8(at) & 0x0f) * 4;
    this.#networkSum = this.#memory.sum(at, size, 0);
  }

  /** Sums the part of pseudo-header and header that all segments share. */
  #prepareTransport(flags: number): void {
    const view = this.#memory.view;
    const at = this.#packet + this.#transportAt;
    const headerSize = this.#headerSize - this.#transportAt;
    const checksumAt = at +
      (this.#protocol === TCP
        ? virtio.TCP_CSUM_OFFSET
        : virtio.UDP_CSUM_OFFSET);
    // The kernel's own sum of the pseudo-header knows about routing headers;
    // the length in it is taken out again.
    const pseudo = (flags & virtio.NEEDS_CSUM) !== 0
      ? view.getUint16(checksumAt) +
        (~(headerSize + this.#payloadLeft) & 0xffff)
      : this.#headers.addressSum() + this.#protocol;
    if (this.#protocol === TCP) {
      this.#sequence = view.getInt32(at + 4);
      this.#flags = view.getUint8(at + 13);
      view.setInt32(at + 4, 0);
      view.setUint8(at + 13, 0);
    } else {
      view.setUint16(at + 4, 0); // length
    }
    view.setUint16(checksumAt, 0);
    this.#transportSum = this.#memory.sum(at, headerSize, pseudo);
  }

  /** Writes one segment; returns its size. */
  #writeSegment(to: number): number {
    const payloadSize = Math.min(this.#segmentSize, this.#payloadLeft);
    const size = this.#headerSize + payloadSize;
    this.#memory.copy(to, this.#packet, this.#headerSize);
    this.#writeNetwork(to + this.#networkAt, size - this.#networkAt);
    this.#payloadLeft -= payloadSize;
    if (this.#protocol === TCP) {
      this.#writeTcp(to, payloadSize);
    } else {
      this.#writeUdp(to, payloadSize);
    }
    this.#payload += payloadSize;
    this.#first = false;
    return size;
  }

  #writeNetwork(at: number, size: number): void {
    const view = this.#memory.view;
    if (this.#v6) {
      view.setUint16(at + 4, size - 40);
      return;
    }
    const identification = this.#identification;
    view.setUint16(at + 2, size);
    view.setUint16(at + 4, identification);
    view.setUint16(at + 10, ~fold(this.#networkSum + size + identification));
    this.#identification = (identification + 1) & 0xffff;
  }

  #writeTcp(to: number, payloadSize: number): void {
    const view = this.#memory.view;
    const at = to + this.#transportAt;
    const sequence = this.#sequence;
    let flags = this.#flags;
    if (!this.#first) flags &= ~CWR;
    if (this.#payloadLeft > 0) flags &= ~(FIN | PSH);
    view.setInt32(at + 4, sequence);
    view.setUint8(at + 13, flags);
    const length = this.#headerSize - this.#transportAt + payloadSize;
    const seed = this.#transportSum + length + flags +
      (sequence >>> 16) + (sequence & 0xffff);
    view.setUint16(at + 16, ~this.#copyPayload(to, payloadSize, seed));
    this.#sequence = (sequence + payloadSize) | 0;
  }

  #writeUdp(to: number, payloadSize: number): void {
    const view = this.#memory.view;
    const at = to + this.#transportAt;
    const length = this.#headerSize - this.#transportAt + payloadSize;
    view.setUint16(at + 4, length);
    // The length is in the pseudo-header and in the header.
    const seed = this.#transportSum + 2 * length;
    const sum = this.#copyPayload(to, payloadSize, seed);
    view.setUint16(at + 6, orAllOnes(~sum));
  }

  #copyPayload(to: number, size: number, seed: number): number {
    return this.#memory.copySum(
      to + this.#headerSize,
      this.#payload,
      size,
      seed,
    );
  }
}

/** Whether a gso_type and what is in the packet agree. */
function carries(gsoType: number, protocol: number, v6: boolean): boolean {
  switch (gsoType) {
    case virtio.GSO_TCPV4:
    case virtio.GSO_TCPV4 | virtio.GSO_ECN:
      return protocol === TCP && !v6;
    case virtio.GSO_TCPV6:
    case virtio.GSO_TCPV6 | virtio.GSO_ECN:
      return protocol === TCP && v6;
    case virtio.GSO_UDP_L4:
      return protocol === UDP;
    default:
      return false;
  }
}

/** Folds a sum below 2^26 to 16 bits. */
function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** A checksum of 0 is sent as all ones: 0 says "none" (RFC 768). */
function orAllOnes(checksum: number): number {
  return (checksum & 0xffff) || 0xffff;
}
