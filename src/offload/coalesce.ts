/**
 * Coalescing of what goes to the device: packets of one flow that follow on
 * each other become one super-packet, which passes the kernel once.
 *
 * @module
 */

import type { PacketMemory } from "./bytes.ts";
import { Group, GROUP_SCRATCH_SIZE } from "./group.ts";
import { ACK, PacketHeaders, PSH, TCP, UDP, UNCLEAR } from "./headers.ts";
import {
  UDP_CSUM_OFFSET,
  VIRTIO_HEADER_SIZE,
  writePlainHeader,
} from "./virtio.ts";

/** Takes what is to be written to the device. */
export interface GatherSink {
  /**
   * Writes one packet, virtio header included.
   *
   * @param at where its pieces are in the packet memory
   * @param size of the pieces in bytes
   * @param count how many pieces there are, `MAX_PIECES` at most; these and
   *   both lists are the sink's only until it returns
   * @param packets of how many packets it is made
   */
  write(
    at: Uint32Array,
    size: Uint32Array,
    count: number,
    packets: number,
  ): void;
}

/** How a {@linkcode Coalescer} works. */
export interface CoalescerOptions {
  /** Packets begin with an Ethernet header (tap). */
  readonly ethernet: boolean;
  /** Coalesce TCP. */
  readonly tcp: boolean;
  /** Coalesce UDP; Linux takes such super-packets since 6.2. */
  readonly udp: boolean;
}

/** Flows that are coalesced at the same time. */
const MAX_GROUPS = 16;

/** All flags and reserved bits in the fourth word of TCP's header. */
const TCP_FLAGS = 0x0fff;

/** What a {@linkcode Coalescer} needs of the packet memory, in bytes. */
export const SCRATCH_SIZE: number = VIRTIO_HEADER_SIZE +
  MAX_GROUPS * GROUP_SCRATCH_SIZE;

/**
 * Merges packets under the rules of Linux's receive offload (tcp_gro_receive,
 * udp_gro_receive): what reaches the sink, segmented again, is what went in,
 * and each flow keeps its order.
 *
 * Packets of one flow are merged if they follow on each other and their headers
 * agree in everything but lengths, checksums, sequence number and IPv4
 * identification: that one counts up, or stays the same where "don't fragment"
 * makes it meaningless (RFC 6864 section 4.1). So acknowledgement, window,
 * options, ECN and hop limit are equal. All have the payload size of the first;
 * a smaller one or PSH ends the super-packet.
 *
 * Packets with other TCP flags than ACK and PSH, without payload, with IPv4
 * options, with extension headers, fragments, and all with a wrong checksum go
 * through as they are: the kernel does not check a super-packet again, so
 * merging would make corrupt data valid.
 */
export class Coalescer {
  readonly #memory: PacketMemory;
  readonly #sink: GatherSink;
  readonly #options: CoalescerOptions;
  readonly #headers: PacketHeaders;
  readonly #groups: readonly [Group, ...Group[]];
  #started = 0;

  // An empty virtio header and a packet that goes through as it is.
  readonly #singleAt = new Uint32Array(2);
  readonly #singleSize = new Uint32Array(2);

  /**
   * @param memory holds the packets and the scratch space
   * @param scratch where {@linkcode SCRATCH_SIZE} bytes are free
   * @param sink takes the writes
   * @param options how to work
   */
  constructor(
    memory: PacketMemory,
    scratch: number,
    sink: GatherSink,
    options: CoalescerOptions,
  ) {
    this.#memory = memory;
    this.#sink = sink;
    this.#options = options;
    this.#headers = new PacketHeaders(memory, options.ethernet);
    this.#singleAt[0] = scratch;
    this.#singleSize[0] = VIRTIO_HEADER_SIZE;
    writePlainHeader(memory.view, scratch);
    const group = (i: number) =>
      new Group(memory, scratch + VIRTIO_HEADER_SIZE + i * GROUP_SCRATCH_SIZE);
    this.#groups = [
      group(0),
      ...Array.from({ length: MAX_GROUPS - 1 }, (_, i) => group(1 + i)),
    ];
  }

  /**
   * Takes the next packet. It must stay as it is until {@linkcode flush}.
   *
   * @param at where the packet begins
   * @param size of the packet in bytes
   */
  add(at: number, size: number): void {
    const protocol = this.#headers.read(at, size);
    if (
      (protocol === TCP && this.#options.tcp) ||
      (protocol === UDP && this.#options.udp)
    ) {
      this.#addToFlow(protocol);
      return;
    }
    if (protocol === UNCLEAR) this.#closeHosts();
    this.#pass(at, size);
  }

  /** Writes what has been held back. To be called at the end of a batch. */
  flush(): void {
    for (const group of this.#groups) {
      if (group.count > 0) this.#close(group);
    }
    this.#started = 0;
  }

  #addToFlow(protocol: number): void {
    const headers = this.#headers;
    const ports = this.#memory.view.getInt32(headers.transport);
    const group = this.#find(protocol, ports);
    const mergeable = this.#isMergeable(protocol);
    if (group !== undefined) {
      if (mergeable && group.append(headers)) {
        if (group.complete) this.#close(group);
        return;
      }
      this.#close(group);
    }
    if (mergeable && !(protocol === TCP && this.#isPushed())) {
      this.#vacate().start(headers, protocol, ports, this.#started++);
    } else {
      this.#pass(headers.packet, headers.end - headers.packet);
    }
  }

  /** Finds the open group of a packet's flow. */
  #find(protocol: number, ports: number): Group | undefined {
    for (const group of this.#groups) {
      if (
        group.count > 0 && group.ports === ports &&
        group.protocol === protocol && group.sharesHosts(this.#headers)
      ) return group;
    }
    return undefined;
  }

  /** Whether a packet may be part of a super-packet at all. */
  #isMergeable(protocol: number): boolean {
    const { network, transport, payload, end, bare, v6 } = this.#headers;
    const { view } = this.#memory;
    if (!bare || payload === end) return false;
    if (protocol === TCP) {
      const flags = view.getUint16(transport + 12) & TCP_FLAGS;
      if ((flags & ~PSH) !== ACK) return false;
    } else if (view.getUint16(transport + UDP_CSUM_OFFSET) === 0) {
      return false; // has no checksum
    }
    if (!v6 && this.#memory.sum(network, 20, 0) !== 0xffff) return false;
    const size = end - transport;
    const pseudo = this.#headers.addressSum() + protocol + size;
    return this.#memory.sum(transport, size, pseudo) === 0xffff;
  }

  #isPushed(): boolean {
    const flags = this.#memory.view.getUint8(this.#headers.transport + 13);
    return (flags & PSH) !== 0;
  }

  /** Returns a group not in use; if there is none, the oldest has to go. */
  #vacate(): Group {
    let oldest = this.#groups[0];
    for (const group of this.#groups) {
      if (group.count === 0) return group;
      if (group.age < oldest.age) oldest = group;
    }
    this.#close(oldest);
    return oldest;
  }

  #close(group: Group): void {
    if (group.count > 1) {
      const pieces = group.gather();
      const { pieceAt, pieceSize, count } = group;
      this.#sink.write(pieceAt, pieceSize, pieces, count);
    } else {
      this.#pass(group.packet, group.end - group.packet);
    }
    group.count = 0;
  }

  /** Of a fragment the ports are unknown: it may belong to any such flow. */
  #closeHosts(): void {
    for (const group of this.#groups) {
      if (group.count > 0 && group.sharesHosts(this.#headers)) {
        this.#close(group);
      }
    }
  }

  #pass(at: number, size: number): void {
    this.#singleAt[1] = at;
    this.#singleSize[1] = size;
    this.#sink.write(this.#singleAt, this.#singleSize, 2, 1);
  }
}
