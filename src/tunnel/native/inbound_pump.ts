// Way in of the native plane. Nothing is copied: a datagram is opened where the
// kernel put it, and written to the device from there.
import type { Arena } from "../../../ffi/memory.ts";
import {
  copyLocal,
  copySockaddr,
  LOCAL_WORDS,
  SOCKADDR_WORDS,
} from "../../../ffi/net/sockaddr.ts";
import { UdpReceiver } from "../../../ffi/net/udp_batches.ts";
import {
  Coalescer,
  type GatherSink,
  SCRATCH_SIZE,
} from "../../offload/coalesce.ts";
import { RouteTable } from "../../route/table.ts";
import { DatagramBatch } from "../../satp/batch.ts";
import type { SatpParameters } from "../../satp/params.ts";
import { applyCipher, authenticateBatch } from "../../satp/pipeline.ts";
import { count, PlaneCounter } from "../counters.ts";
import { Inbound } from "../inbound.ts";
import type { NativeSetup } from "./messages.ts";
import { HEADROOM_BYTES } from "../outbound.ts";
import type { WorkerParts } from "./parts.ts";
import { StrangerProbe } from "./stranger_probe.ts";
import { sourceFilterOf } from "../source_filter.ts";

const BATCH_DATAGRAMS = 92;

const MESSAGES = 16;

/** What the kernel joins can be as long as this. */
const JOINED_BYTES = 65536;

/** Apart by an odd number of lines, so that buffers do not share cache sets. */
const JOINED_STRIDE = JOINED_BYTES + 1472;

/** Without joining: more than the longest datagram, to notice longer ones. */
const SINGLE_BYTES = 2048;

export const INBOUND_ARENA_BYTES = MESSAGES * JOINED_STRIDE + (128 << 10);

export class InboundPump {
  readonly #parts: WorkerParts;
  readonly #sockets: Int32Array;
  readonly #inbound: Inbound;
  readonly #receiver: UdpReceiver;
  readonly #hasLocals: boolean;
  readonly #sizes = new Uint32Array(BATCH_DATAGRAMS);
  readonly #coalescer: Coalescer | undefined;
  readonly #probe: StrangerProbe | undefined;
  // Which socket to ask first: the one that had something last time.
  #first = 0;

  constructor(setup: NativeSetup, parts: WorkerParts) {
    const { deviceType } = setup.settings;
    this.#parts = parts;
    this.#sockets = Int32Array.from(setup.receiveFrom);
    this.#inbound = inboundOf(setup, parts);
    this.#probe = probeOf(setup, parts);
    this.#receiver = receiverOf(setup, parts);
    this.#hasLocals = setup.locals;
    if (setup.vnetHeader) {
      this.#coalescer = new Coalescer(
        parts.packets,
        parts.arena.take(SCRATCH_SIZE, 64),
        this.#gatherSink(),
        { ethernet: deviceType === "tap", ...setup.coalesce },
      );
    }
  }

  /** @returns Whether more may have come meanwhile; if not, wait */
  pump(): boolean {
    const sockets = this.#sockets;
    this.#receiver.looksForClasses = this.#parts.live.ecn;
    let more = false;
    const first = this.#first;
    for (let k = 0; k < sockets.length; k++) {
      const index = (first + k) % sockets.length;
      const messages = this.#receiver.receive(sockets[index] ?? -1);
      if (messages === 0) continue;
      if (messages === MESSAGES) more = true;
      this.#first = index;
      this.#openAll(messages);
      // The next call overwrites the buffers.
      this.#coalescer?.flush();
    }
    return more;
  }

  #openAll(messages: number): void {
    const { batch } = this.#inbound;
    const receiver = this.#receiver;
    batch.count = 0;
    this.#probeAll(messages);
    for (let m = 0; m < messages; m++) {
      if (this.#probe?.forged[m] === 1) continue;
      const at = receiver.at(m);
      const size = receiver.sizes[m] ?? 0;
      const segment = receiver.segmentSizes[m] ?? 0;
      this.#noteMessage(m);
      // Empty, or cut because it did not fit: no datagram of a peer either way.
      if (size === 0) this.#take(at, 0, m);
      for (let done = 0; done < size; done += segment) {
        this.#take(at + done, Math.min(segment, size - done), m);
      }
    }
    if (batch.count > 0) this.#openBatch();
  }

  #probeAll(messages: number): void {
    try {
      this.#probe?.look(this.#receiver, messages);
    } catch (error) {
      // What was not probed is looked at one by one.
      this.#parts.log.batchFailed(error);
    }
  }

  #noteMessage(m: number): void {
    const { places, classes } = this.#inbound;
    const receiver = this.#receiver;
    const { words } = this.#parts.arena;
    const sender = receiver.senderAt(m) >>> 2;
    copySockaddr(words, sender, places.sources, m * SOCKADDR_WORDS);
    classes[m] = receiver.classes[m] ?? 0;
    if (!this.#hasLocals) return;
    const local = receiver.localAt(m) >>> 2;
    copyLocal(words, local, places.locals, m * LOCAL_WORDS);
  }

  /** @param m The message that it came in */
  #take(at: number, size: number, m: number): void {
    const { batch, messages } = this.#inbound;
    const i = batch.count++;
    batch.at[i] = at;
    this.#sizes[i] = size;
    messages[i] = m;
    if (batch.count === batch.capacity) this.#openBatch();
  }

  #openBatch(): void {
    const { engine } = this.#parts;
    const inbound = this.#inbound;
    const { batch, schedules } = inbound;
    try {
      inbound.classify(this.#sizes);
      do authenticateBatch(engine, batch, schedules); while (inbound.retry());
      inbound.judge();
      applyCipher(engine, batch);
      inbound.unwrap();
    } catch (error) {
      inbound.fail(error);
    } finally {
      inbound.release();
    }
    this.#deliver();
    batch.count = 0;
  }

  #deliver(): void {
    const { batch } = this.#inbound;
    const coalescer = this.#coalescer;
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      const at = batch.startOf(i) + HEADROOM_BYTES;
      const size = batch.sizeOf(i) - HEADROOM_BYTES;
      if (coalescer !== undefined) coalescer.add(at, size);
      else if (!this.#parts.port.write(at, size)) this.#refused();
    }
  }

  #gatherSink(): GatherSink {
    const { port } = this.#parts;
    return {
      write: (at, size, count, packets) => {
        if (!port.writeGathered(at, size, count)) this.#refused(packets);
      },
    };
  }

  #refused(packets = 1): void {
    count(this.#parts.counters, PlaneCounter.DEVICE_REFUSED, packets);
    this.#parts.log.deviceRefused();
  }
}

function inboundOf(setup: NativeSetup, parts: WorkerParts): Inbound {
  const { settings, share } = setup;
  const { deviceType, params, roaming } = settings;
  const routes = setup.routes && new RouteTable(setup.routes);
  const filter = sourceFilterOf(settings, routes);
  const batch = batchOf(BATCH_DATAGRAMS, params, parts.arena);
  return new Inbound(batch, parts, { deviceType, roaming, filter, share });
}

/** Where datagrams may come joined, and have tags. */
function probeOf(
  { gro, settings: { params }, share }: NativeSetup,
  parts: WorkerParts,
): StrangerProbe | undefined {
  if (!gro || params.tagLength === 0) return undefined;
  const batch = batchOf(MESSAGES, params, parts.arena);
  return new StrangerProbe(batch, parts, share);
}

function batchOf(
  capacity: number,
  params: SatpParameters,
  arena: Arena,
): DatagramBatch {
  const at = arena.take(DatagramBatch.regionBytes(params, capacity), 64);
  return new DatagramBatch(arena.bytes, params, capacity, at);
}

function receiverOf(
  { gro, locals }: NativeSetup,
  { arena, libc }: WorkerParts,
): UdpReceiver {
  const stride = gro ? JOINED_STRIDE : SINGLE_BYTES;
  return new UdpReceiver(libc, arena, {
    at: arena.take(MESSAGES * stride, 64),
    stride,
    size: gro ? JOINED_BYTES : SINGLE_BYTES,
    count: MESSAGES,
    locals,
  });
}
