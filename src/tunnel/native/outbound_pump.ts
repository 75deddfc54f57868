// Way out of the native plane. Sealed datagrams lie close to each other, so
// that a run of them is one piece of memory for the kernel.
import type { Arena } from "../../../ffi/memory.ts";
import {
  IN_PLACE,
  MALFORMED,
  Segmenter,
  TOO_LONG,
} from "../../offload/segment.ts";
import { TOO_BIG_BYTES } from "../../offload/too_big.ts";
import { VIRTIO_HEADER_SIZE, writePlainHeader } from "../../offload/virtio.ts";
import { RouteTable } from "../../route/table.ts";
import { DatagramBatch } from "../../satp/batch.ts";
import { MAX_DATAGRAM_BYTES } from "../../satp/header.ts";
import type { SatpParameters } from "../../satp/params.ts";
import { sealBatch } from "../../satp/pipeline.ts";
import { count, PlaneCounter } from "../counters.ts";
import { GsoSender } from "./gso_sender.ts";
import type { NativeSetup } from "./messages.ts";
import { HEADROOM_BYTES, Outbound } from "../outbound.ts";
import { PacketRouter } from "../packet_router.ts";
import type { WorkerParts } from "./parts.ts";
import type { AnswerPlace } from "../too_big.ts";

/**
 * Datagrams of a batch: two super-packets of TCP at the default MTU, which
 * also are the most that one message to the kernel holds.
 */
const BATCH_DATAGRAMS = 92;

/** The longest packet that a device hands over, with its virtio header. */
const READ_BYTES = VIRTIO_HEADER_SIZE + 0xffff + 18;

export const OUTBOUND_ARENA_BYTES = 512 << 10;

export class OutboundPump {
  readonly #parts: WorkerParts;
  readonly #vnetHeader: boolean;
  readonly #outbound: Outbound;
  readonly #sender: GsoSender;
  readonly #segmenter: Segmenter;
  readonly #sizes: Uint32Array;
  readonly #readAt: number;
  readonly #wireAt: number;
  readonly #maxPacket: number;
  // Where the next packet is laid, and what is left of a super-packet.
  #nextAt = 0;
  #segmentsLeft = 0;
  // Of the muxes that are due those with this remainder are its own.
  readonly #of: number;
  readonly #index: number;
  // Of the table, when it was last looked at.
  #dueTurn = 0;
  // Whether the device was empty when it was last asked.
  #wasEmpty = true;

  constructor(setup: NativeSetup, parts: WorkerParts) {
    const { arena, packets } = parts;
    const { settings, sockets: { ipv4, ipv6 }, gso } = setup;
    const { params, deviceType, senderIds, allowWrap, mtuDiscovery } = settings;
    this.#parts = parts;
    this.#vnetHeader = setup.vnetHeader;
    this.#outbound = new Outbound(takeBatch(arena, params), parts, {
      ...{ deviceType, senderIds, allowWrap, mtuDiscovery },
      answers: answerPlace(setup, parts),
      router: routerOf(setup, parts),
    });
    const sockets = { ipv4, ipv6 };
    this.#sender = new GsoSender(this.#outbound, parts, { gso, sockets });
    this.#maxPacket = this.#outbound.maxPacket;
    const isOnlySender = setup.role === "send" || setup.share === undefined;
    this.#of = isOnlySender ? 1 : setup.share?.of ?? 1;
    this.#index = isOnlySender ? 0 : setup.share?.index ?? 0;
    this.#segmenter = new Segmenter(
      packets,
      deviceType === "tap",
      this.#maxPacket,
    );
    this.#sizes = new Uint32Array(BATCH_DATAGRAMS);
    this.#readAt = arena.take(READ_BYTES, 64);
    this.#wireAt = arena.take(BATCH_DATAGRAMS * MAX_DATAGRAM_BYTES, 64);
  }

  /** @returns Whether the device may have more; if not, wait */
  pump(): boolean {
    this.#clear();
    const more = this.#fill();
    this.#send();
    return more;
  }

  /** Sends to peers that are due for a datagram without payload. */
  sendDue(): void {
    const { due } = this.#parts.connections.table;
    const { turn } = due;
    if (turn === this.#dueTurn) return;
    this.#dueTurn = turn;
    let mux = due.take(0, this.#of, this.#index);
    while (mux >= 0) {
      this.#sendEmpty(mux);
      mux = due.take(mux + 1, this.#of, this.#index);
    }
  }

  /** Sends what is left of a super-packet, without reading another one. */
  drain(): void {
    while (this.#segmentsLeft > 0) {
      this.#clear();
      this.#laySegments();
      this.#send();
    }
  }

  #clear(): void {
    this.#outbound.batch.count = 0;
    this.#nextAt = this.#wireAt;
  }

  #send(): void {
    if (this.#outbound.batch.count === 0) return;
    this.#seal();
    this.#sender.send();
  }

  #sendEmpty(mux: number): void {
    this.#clear();
    const { batch } = this.#outbound;
    batch.at[batch.count++] = this.#nextAt;
    this.#seal(mux);
    this.#sender.send();
  }

  /** @param mux For one datagram without payload, instead of the packets */
  #seal(mux?: number): void {
    const outbound = this.#outbound;
    try {
      if (mux === undefined) outbound.address(this.#sizes);
      else outbound.addressEmpty(mux);
      sealBatch(this.#parts.engine, outbound.batch, outbound.schedules);
    } catch (error) {
      outbound.fail(error);
    } finally {
      outbound.release();
    }
  }

  // Returns false once the device has been emptied. After that the next packet
  // is sent as soon as it is there: asking for another one can wait, a person
  // who types cannot. A super-packet is nobody typing: others come along, and
  // full batches cost less.
  #fill(): boolean {
    const { batch } = this.#outbound;
    for (;;) {
      if (this.#segmentsLeft > 0) this.#laySegments();
      const enough = this.#wasEmpty && batch.count === 1;
      if (enough || batch.count === batch.capacity) {
        this.#wasEmpty = false;
        return true;
      }
      const size = this.#parts.port.read(this.#readAt, READ_BYTES);
      if (size === 0) {
        this.#wasEmpty = true;
        return false;
      }
      if (this.#vnetHeader) this.#takeSuperPacket(size);
      else this.#layPacket(this.#readAt, size);
    }
  }

  #takeSuperPacket(size: number): void {
    const segments = this.#segmenter.begin(this.#readAt, size);
    const at = this.#readAt + VIRTIO_HEADER_SIZE;
    if (segments === MALFORMED) {
      count(this.#parts.counters, PlaneCounter.MALFORMED_OUT);
    } else if (segments === TOO_LONG) {
      this.#refuse(at, size - VIRTIO_HEADER_SIZE);
    } else if (segments === IN_PLACE) {
      this.#layPacket(at, size - VIRTIO_HEADER_SIZE);
    } else this.#segmentsLeft = segments;
  }

  #layPacket(at: number, size: number): void {
    if (size > this.#maxPacket) return this.#refuse(at, size);
    this.#parts.packets.copy(this.#nextAt + HEADROOM_BYTES, at, size);
    this.#laid(size);
  }

  #refuse(at: number, size: number): void {
    this.#outbound.refuse(this.#parts.arena.bytes, at, size);
  }

  #laySegments(): void {
    const { batch } = this.#outbound;
    const first = batch.count;
    const overhead = HEADROOM_BYTES + batch.params.tagLength;
    const written = this.#segmenter.next(
      this.#nextAt + HEADROOM_BYTES,
      overhead,
      this.#sizes,
      first,
      batch.capacity - first,
    );
    for (let i = first; i < first + written; i++) {
      this.#laid(this.#sizes[i] ?? 0);
    }
    this.#segmentsLeft -= written;
  }

  #laid(size: number): void {
    const { batch } = this.#outbound;
    batch.at[batch.count] = this.#nextAt;
    this.#sizes[batch.count++] = size;
    this.#nextAt += HEADROOM_BYTES + size + batch.params.tagLength;
  }
}

function answerPlace(
  { vnetHeader }: NativeSetup,
  { arena, port, now }: WorkerParts,
): AnswerPlace {
  const begin = arena.take(VIRTIO_HEADER_SIZE + TOO_BIG_BYTES, 64);
  const at = begin + VIRTIO_HEADER_SIZE;
  writePlainHeader(arena.view, begin);
  const written = vnetHeader ? begin : at;
  return {
    ...{ memory: arena.bytes, at, now },
    deliver: (size) => void port.write(written, at + size - written),
  };
}

function routerOf(
  { settings: { mux }, routes }: NativeSetup,
  { connections }: WorkerParts,
): PacketRouter {
  const table = routes && new RouteTable(routes);
  return new PacketRouter(connections, mux, table);
}

function takeBatch(arena: Arena, params: SatpParameters): DatagramBatch {
  const bytes = DatagramBatch.regionBytes(params, BATCH_DATAGRAMS);
  return new DatagramBatch(
    arena.bytes,
    params,
    BATCH_DATAGRAMS,
    arena.take(bytes, 64),
  );
}
