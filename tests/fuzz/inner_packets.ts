// Inner packets on their way through the offloads, in one memory that is used
// again and again.
import { strict as assert } from "node:assert";
import {
  openPacketMemory,
  type PacketMemory,
} from "../../src/offload/bytes.ts";
import { Coalescer, SCRATCH_SIZE } from "../../src/offload/coalesce.ts";
import { PacketHeaders, TCP, UDP } from "../../src/offload/headers.ts";
import { IN_PLACE, Segmenter } from "../../src/offload/segment.ts";
import { isSame } from "./bytes.ts";

/** The longest packet that fits a datagram, and more than the tests' inputs. */
export const ROOM = 1600;

const PAGE_BYTES = 65536;
const SCRATCH_AT = 64;
const READ_AT = PAGE_BYTES;
const SEGMENTS_AT = 3 * PAGE_BYTES;
const PAGES = 8;
const GAP = 20;
const MOST = 64;

/** Around what is read: no result may depend on it. */
const MARGIN = 64;

const VIRTIO_BYTES = 10;

/** What the segmenter made of a read: its answer, and packets. */
export interface Segmented {
  readonly answer: number;
  readonly packets: readonly Uint8Array[];
}

/** Packets without, or frames with an Ethernet header. */
export class InnerPackets {
  readonly headers: PacketHeaders;
  readonly memory: PacketMemory;
  readonly #bytes: Uint8Array;
  readonly #segmenter: Segmenter;
  readonly #coalescer: Coalescer;
  readonly #sizes = new Uint32Array(MOST);
  #writes: Uint8Array[] = [];

  constructor(ethernet: boolean) {
    const limits = { initial: PAGES, maximum: PAGES };
    const wasm = new WebAssembly.Memory(limits);
    this.memory = openPacketMemory(wasm);
    this.#bytes = new Uint8Array(wasm.buffer);
    this.headers = new PacketHeaders(this.memory, ethernet);
    this.#segmenter = new Segmenter(this.memory, ethernet, ROOM);
    const write = (at: Uint32Array, size: Uint32Array, count: number) => {
      this.#writes.push(this.#gathered(at, size, count));
    };
    const options = { ethernet, tcp: true, udp: true };
    this.#coalescer = new Coalescer(
      this.memory,
      SCRATCH_AT,
      { write },
      options,
    );
  }

  /** @param read A virtio header and what the device had behind it */
  segment(read: Uint8Array): Segmented {
    const one = this.#segment(read, 0x00);
    // Nothing that lies around it has a part in it.
    const other = this.#segment(read, 0xff);
    assert.equal(one.answer, other.answer);
    assert.equal(one.packets.length, other.packets.length);
    for (const [i, packet] of one.packets.entries()) {
      assert.ok(isSame(packet, other.packets[i]), "it has read beyond its end");
    }
    return one;
  }

  /** As one batch; what is written has a virtio header. */
  coalesce(packets: readonly Uint8Array[]): Uint8Array[] {
    this.#writes = [];
    let at = READ_AT;
    for (const packet of packets) {
      this.#bytes.set(packet, at);
      this.#coalescer.add(at, packet.length);
      at += packet.length;
    }
    assert.ok(at < SEGMENTS_AT);
    this.#coalescer.flush();
    at = READ_AT;
    for (const packet of packets) {
      const still = this.#bytes.subarray(at, at + packet.length);
      assert.ok(isSame(packet, still), "a packet was changed");
      at += packet.length;
    }
    return this.#writes;
  }

  /**
   * Makes lengths and checksums of a packet right, if it is one.
   *
   * @param link Bytes of its Ethernet header
   */
  mend(packet: Uint8Array, link: number): void {
    this.#bytes.set(packet, READ_AT);
    mendLengths(this.memory.view, READ_AT + link, packet.length - link);
    const protocol = this.headers.read(READ_AT, packet.length);
    if (protocol === TCP || protocol === UDP) this.#mendChecksums(protocol);
    packet.set(this.#bytes.subarray(READ_AT, READ_AT + packet.length));
  }

  /** Has the headers of a packet in `headers`. */
  read(packet: Uint8Array): number {
    this.#bytes.set(packet, READ_AT);
    return this.headers.read(READ_AT, packet.length);
  }

  /** Whether a packet of TCP or UDP has the checksums that it should. */
  isIntact(packet: Uint8Array): boolean {
    const { headers, memory } = this;
    const protocol = this.read(packet);
    if (protocol !== TCP && protocol !== UDP) return false;
    const { network, transport, end, v6 } = headers;
    const size = end - transport;
    const pseudo = headers.addressSum() + protocol + size;
    return memory.sum(transport, size, pseudo) === 0xffff &&
      (v6 ||
        memory.sum(network, headerBytes(memory.view, network), 0) === 0xffff);
  }

  #segment(read: Uint8Array, around: number): Segmented {
    const bytes = this.#bytes;
    const end = READ_AT + read.length;
    bytes.fill(around, READ_AT - MARGIN, end + MARGIN);
    bytes.set(read, READ_AT);
    const answer = this.#segmenter.begin(READ_AT, read.length);
    const packets: Uint8Array[] = [];
    if (answer === IN_PLACE) {
      packets.push(bytes.slice(READ_AT + VIRTIO_BYTES, end));
    }
    for (let written = 1; written > 0 && answer !== IN_PLACE;) {
      written = this.#segmenter.next(SEGMENTS_AT, GAP, this.#sizes, 0, MOST);
      let at = SEGMENTS_AT;
      for (let i = 0; i < written; i++) {
        const size = this.#sizes[i] ?? 0;
        packets.push(bytes.slice(at, at + size));
        at += size + GAP;
      }
    }
    const isClean = (from: number, to: number) => {
      for (let at = from; at < to; at++) if (bytes[at] !== around) return false;
      return true;
    };
    assert.ok(isClean(READ_AT - MARGIN, READ_AT), "it has written before it");
    assert.ok(isClean(end, end + MARGIN), "it has written behind it");
    return { answer, packets };
  }

  #gathered(at: Uint32Array, size: Uint32Array, count: number): Uint8Array {
    let total = 0;
    for (let i = 0; i < count; i++) total += size[i] ?? 0;
    const write = new Uint8Array(total);
    let to = 0;
    for (let i = 0; i < count; i++) {
      const from = at[i] ?? 0;
      const end = from + (size[i] ?? 0);
      const isScratch = from >= SCRATCH_AT && end <= SCRATCH_AT + SCRATCH_SIZE;
      assert.ok(isScratch || from >= READ_AT && end <= SEGMENTS_AT);
      write.set(this.#bytes.subarray(from, end), to);
      to += end - from;
    }
    return write;
  }

  #mendChecksums(protocol: number): void {
    const { headers, memory } = this;
    const { view } = memory;
    const { network, transport, end, v6 } = headers;
    if (!v6) {
      view.setUint16(network + 10, 0);
      const size = headerBytes(view, network);
      view.setUint16(network + 10, ~memory.sum(network, size, 0));
    }
    const at = transport + (protocol === TCP ? 16 : 6);
    view.setUint16(at, 0);
    const pseudo = headers.addressSum() + protocol + end - transport;
    const sum = ~memory.sum(transport, end - transport, pseudo) & 0xffff;
    view.setUint16(at, sum === 0 && protocol === UDP ? 0xffff : sum);
  }
}

/** Lengths of a packet without extension headers. */
function mendLengths(view: DataView, at: number, size: number): void {
  const version = view.getUint8(at) >> 4;
  if (version === 4 && size >= 28) {
    view.setUint16(at + 2, size);
    const transport = headerBytes(view, at);
    if (view.getUint8(at + 9) === UDP && transport + 8 <= size) {
      view.setUint16(at + transport + 4, size - transport);
    }
  } else if (version === 6 && size >= 48) {
    view.setUint16(at + 4, size - 40);
    if (view.getUint8(at + 6) === UDP) view.setUint16(at + 44, size - 40);
  }
}

/** Of IPv4. */
function headerBytes(view: DataView, network: number): number {
  return (view.getUint8(network) & 15) * 4;
}
