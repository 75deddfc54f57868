// Judgement of what comes in: the checks of SATP section 6, in its order but
// for auto-detection, which comes after the tag here.
import { SOCKADDR_WORDS } from "../../ffi/net/sockaddr.ts";
import type { DatagramBatch } from "../satp/batch.ts";
import {
  acceptsPayload,
  type DeviceType,
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  readMux,
  readSenderId,
  readSeq,
  readU16,
} from "../satp/header.ts";
import type { KeySchedule } from "../satp/key_derivation.ts";
import type { MuxShare } from "../state/accepted_memory.ts";
import type { Connection, Connections } from "./connection.ts";
import { type LoadedKeys, PinnedKeys } from "./loaded_keys.ts";
import { ConnectionCounter, count, PlaneCounter } from "./counters.ts";
import type { LiveSettings } from "./live_settings.ts";
import { OtherKeys } from "./other_keys.ts";
import { HEADROOM_BYTES } from "./outbound.ts";
import { PeerPlaces } from "./peer_places.ts";
import { type RefusedSamples, wantsReplays } from "./refused_samples.ts";
import type { SourceFilter } from "./source_filter.ts";
import { SynClamp } from "./syn_clamp.ts";
import { InnerEcn } from "./traffic_class.ts";

/**
 * Of a batch with so many replays, and no fewer than half of it, the next one's
 * numbers are looked at before the tags: a flood of recordings costs no
 * cryptography. Otherwise the tag comes first, and the counters can tell a
 * forged datagram from a recorded one.
 */
const MANY_REPLAYS = 8;

/** How often it is noted that keys open, in ms. */
const NOTE_MS = 100;

/** What somebody may want to log; the implementation limits the rate. */
export interface InboundEvents {
  /** @param source Where the sender's address lies in `words` */
  unknownMux(mux: number, words: Uint32Array, source: number): void;
  wrongTag(connection: Connection, words: Uint32Array, source: number): void;
  wrongPayloadType(connection: Connection, type: number): void;
  replay(connection: Connection, seq: number, senderId: number): void;
  /** A packet is from an address that is not routed to its connection. */
  wrongSource(
    connection: Connection,
    memory: Uint8Array,
    at: number,
    size: number,
  ): void;
  batchFailed(error: unknown): void;
}

/** Of the parts of a plane those that it shares with others. */
export interface InboundParts {
  readonly connections: Connections;
  /** The plane's. */
  readonly counters: Float64Array;
  readonly live: LiveSettings;
  readonly log: InboundEvents;
  /** Called with the mux of a connection whose peer was heard elsewhere. */
  readonly moved: (mux: number) => void;
  /** Where nobody asks for samples there are none. */
  readonly samples?: RefusedSamples | undefined;
  /** Milliseconds since 1970, by a clock that never goes back. */
  readonly now: () => number;
}

export interface InboundOptions {
  readonly deviceType: DeviceType;
  /** Whether a peer that is known may move to where it is heard. */
  readonly roaming: boolean;
  readonly filter: SourceFilter | undefined;
  /** Without it all connections are taken in. */
  readonly share?: MuxShare | undefined;
}

export class Inbound {
  readonly batch: DatagramBatch;
  /**
   * The message of the kernel that each came in: where it was alone the number of
   * the datagram. What follows is the same for all that came in one.
   */
  readonly messages: Uint16Array;
  /** Where each message came from, and to. */
  readonly places: PeerPlaces;
  /** Class of traffic that it came with. */
  readonly classes: Uint8Array;
  /** The schedule of each datagram, null where it is dropped. */
  readonly schedules: (KeySchedule | null)[];
  readonly #parts: InboundParts;
  readonly #options: InboundOptions;
  readonly #connections: (Connection | undefined)[];
  /** Those that it is tried with, and in the end those that open it. */
  readonly #keys: (LoadedKeys | undefined)[];
  /** All that its connection has. */
  readonly #sets: (readonly LoadedKeys[])[];
  readonly #others: OtherKeys;
  readonly #pinned = new PinnedKeys();
  readonly #clamp: SynClamp;
  #replays = 0;
  #isFlooded = false;
  readonly #innerEcn: InnerEcn;
  readonly #index: number;
  readonly #of: number;
  /** Of the datagram that is being judged: made once, not for each. */
  readonly #heard = {
    senderId: 0,
    seq: 0,
    highest: 0,
    isNewest: false,
    now: 0,
  };

  constructor(
    batch: DatagramBatch,
    parts: InboundParts,
    options: InboundOptions,
  ) {
    const { deviceType, share } = options;
    this.batch = batch;
    this.#parts = parts;
    this.#options = options;
    const overhead = HEADROOM_BYTES + batch.params.tagLength;
    this.#clamp = new SynClamp(parts, deviceType, overhead);
    this.#index = share?.index ?? 0;
    this.#of = share?.of ?? 1;
    this.messages = Uint16Array.from({ length: batch.capacity }, (_, i) => i);
    const { connections: { table: { endpoints } }, moved } = parts;
    this.places = new PeerPlaces(batch.capacity, {
      endpoints,
      roaming: options.roaming,
      moved,
    });
    this.classes = new Uint8Array(batch.capacity);
    this.#innerEcn = new InnerEcn(parts.live, deviceType);
    this.schedules = new Array(batch.capacity).fill(null);
    this.#connections = new Array(batch.capacity).fill(undefined);
    this.#keys = new Array(batch.capacity).fill(undefined);
    this.#sets = new Array(batch.capacity).fill([]);
    const { schedules } = this;
    const [keys, sets] = [this.#keys, this.#sets];
    this.#others = new OtherKeys(batch, { keys, schedules, sets });
  }

  /** What has no connection is not wanted. Authentication comes next. */
  classify(sizes: Uint32Array): void {
    const { batch } = this;
    this.#replays = 0;
    this.#others.begin();
    for (let i = 0; i < batch.count; i++) this.#classify(i, sizes[i] ?? 0);
  }

  /**
   * Gives other keys of their connection to those with a wrong tag. To be asked
   * after each authentication; if it says so, another one comes next.
   */
  retry(): boolean {
    return this.#others.retry(this.#heard.now);
  }

  /** Drops replays; the others may move the endpoint. Decryption comes next. */
  judge(): void {
    const { batch } = this;
    this.#heard.now = this.#parts.now();
    for (let i = 0; i < batch.count; i++) {
      const connection = this.#connections[i];
      const keys = this.#keys[i];
      if (connection === undefined || keys === undefined) continue;
      if (batch.wanted[i] !== 1) {
        count(connection.counters, ConnectionCounter.WRONG_TAG);
        const { sources } = this.places;
        const from = this.#sourceOf(i);
        this.#parts.log.wrongTag(connection, sources, from);
        this.#offer(connection, i);
        continue;
      }
      batch.wanted[i] = this.#judge(connection, keys, i) ? 1 : 0;
    }
    this.#isFlooded = this.#replays >= MANY_REPLAYS &&
      this.#replays * 2 >= batch.count;
  }

  /**
   * Looks at the decrypted datagrams: payload type and source. Afterwards each
   * wanted one holds a packet for the device, {@link HEADROOM_BYTES} behind
   * its `at` and that much shorter than its `size`.
   */
  unwrap(): void {
    const { batch } = this;
    this.#clamp.begin();
    this.#innerEcn.begin();
    for (let i = 0; i < batch.count; i++) {
      const connection = this.#connections[i];
      if (batch.wanted[i] !== 1 || connection === undefined) continue;
      const size = batch.sizeOf(i) - HEADROOM_BYTES;
      const at = batch.startOf(i) + HEADROOM_BYTES;
      if (this.#mayDeliver(connection, i, size)) {
        this.#clamp.look(batch.memory, at, size, connection);
        count(connection.counters, ConnectionCounter.PACKETS_IN);
        count(connection.counters, ConnectionCounter.BYTES_IN, size);
      } else batch.wanted[i] = 0;
    }
  }

  /** Gives up what is left of the batch: an error costs no more than that. */
  fail(error: unknown): void {
    this.#others.restoreOpened();
    count(
      this.#parts.counters,
      PlaneCounter.INTERNAL_ERROR,
      Math.max(1, this.batch.dropAll()),
    );
    this.#parts.log.batchFailed(error);
  }

  /** Lets go of the keys; to be called for each batch, whatever came of it. */
  release(): void {
    this.#pinned.release();
  }

  #sourceOf(i: number): number {
    return (this.messages[i] ?? 0) * SOCKADDR_WORDS;
  }

  #mayDeliver(connection: Connection, i: number, size: number): boolean {
    const { memory } = this.batch;
    const { deviceType, filter } = this.#options;
    const { log } = this.#parts;
    const start = this.batch.startOf(i);
    const type = readU16(memory, start + HEADER_BYTES);
    if (!acceptsPayload(deviceType, type)) {
      count(connection.counters, ConnectionCounter.WRONG_PAYLOAD_TYPE);
      log.wrongPayloadType(connection, type);
      return false;
    }
    const at = start + HEADROOM_BYTES;
    if (filter?.passes(memory, at, size, connection.mux) === false) {
      count(connection.counters, ConnectionCounter.WRONG_SOURCE);
      log.wrongSource(connection, memory, at, size);
      return false;
    }
    const outer = this.classes[this.messages[i] ?? 0] ?? 0;
    if (this.#innerEcn.takes(memory, at, size, outer)) return true;
    count(connection.counters, ConnectionCounter.CONGESTED);
    return false;
  }

  #classify(i: number, size: number): void {
    const { batch } = this;
    const { connections, counters, log } = this.#parts;
    const { tagLength } = batch.params;
    batch.wanted[i] = 0;
    this.schedules[i] = null;
    this.#connections[i] = undefined;
    this.#keys[i] = undefined;
    if (size < HEADER_BYTES + tagLength) {
      return count(counters, PlaneCounter.TOO_SHORT_IN);
    }
    if (size > MAX_DATAGRAM_BYTES) {
      return count(counters, PlaneCounter.TOO_LONG_IN);
    }
    const mux = readMux(batch.memory, batch.startOf(i));
    // Only the first of joined datagrams has chosen the worker. The window that
    // knows what was received of this connection is at another one: a recording
    // would be new here.
    if (mux % this.#of !== this.#index) {
      return count(counters, PlaneCounter.OTHER_WORKER);
    }
    const connection = connections.get(mux);
    // Without a tag nothing tells which of them it was sealed with.
    const keys = tagLength === 0 ? connection?.keys : connection?.sets[0];
    if (connection === undefined || keys === undefined) {
      log.unknownMux(mux, this.places.sources, this.#sourceOf(i));
      return count(counters, PlaneCounter.UNKNOWN_MUX);
    }
    if (this.#isFlooded && this.#mayBeReplay(connection, i)) return;
    this.#pinned.add(keys);
    const { sets } = connection;
    if (sets.length > 1) this.#pinOthers(sets);
    batch.size[i] = size - tagLength;
    batch.wanted[i] = 1;
    this.schedules[i] = keys.schedules.open;
    this.#connections[i] = connection;
    this.#keys[i] = keys;
    this.#sets[i] = sets;
  }

  #pinOthers(sets: readonly LoadedKeys[]): void {
    this.#others.expect(sets.length);
    for (let k = 1; k < sets.length; k++) {
      const others = sets[k];
      if (others !== undefined) this.#pinned.add(others);
    }
  }

  #offer(connection: Connection, i: number): void {
    const { batch, places: { sources } } = this;
    const size = batch.sizeOf(i) + batch.params.tagLength;
    const { samples } = this.#parts;
    const from = this.#sourceOf(i);
    const at = batch.startOf(i);
    samples?.offer(connection, batch.memory, at, size, sources, from);
  }

  #mayBeReplay(connection: Connection, i: number): boolean {
    const { batch } = this;
    const { table } = this.#parts.connections;
    if (wantsReplays(table.asked(connection.mux))) return false;
    const seq = readSeq(batch.memory, batch.startOf(i));
    const senderId = readSenderId(batch.memory, batch.startOf(i));
    // All keys of a connection are as likely, as long as there is no tag.
    for (let k = 0; k < connection.sets.length; k++) {
      if (connection.sets[k]?.replay.refuses(senderId, seq) === false) {
        return false;
      }
    }
    this.#noteReplay(connection, seq, senderId);
    return true;
  }

  #noteReplay(connection: Connection, seq: number, senderId: number): void {
    this.#replays++;
    count(connection.counters, ConnectionCounter.REPLAYED);
    this.#parts.log.replay(connection, seq, senderId);
  }

  #judge(connection: Connection, keys: LoadedKeys, i: number): boolean {
    const { batch } = this;
    const at = batch.startOf(i);
    const seq = readSeq(batch.memory, at);
    const senderId = readSenderId(batch.memory, at);
    const { replay } = keys;
    const heard = this.#heard;
    const before = replay.highest(senderId);
    if (!replay.accept(senderId, seq)) {
      this.#noteReplay(connection, seq, senderId);
      return false;
    }
    heard.senderId = senderId;
    heard.seq = seq;
    heard.highest = replay.highest(senderId) ?? seq;
    heard.isNewest = heard.highest !== before;
    const message = this.messages[i] ?? 0;
    const isElsewhere = this.places.learn(connection, keys, message, heard);
    // Afterwards: who sees that the peer was heard looks where it is. Keys out of
    // use say nothing of the peer that the connection has now.
    if (keys.isInUse) this.#noteHeard(connection, keys);
    if (isElsewhere) this.places.tell(connection.mux);
    if (batch.sizeOf(i) > HEADROOM_BYTES) return true;
    count(connection.counters, ConnectionCounter.NO_PAYLOAD);
    return false;
  }

  #noteHeard(connection: Connection, keys: LoadedKeys): void {
    const { connections: { table } } = this.#parts;
    const { now } = this.#heard;
    table.noteHeard(connection.mux, now);
    if (keys !== connection.sets[0] && !connection.isPast(keys)) {
      connection.prefer(keys);
    }
    if (now - keys.openedAt < NOTE_MS) return;
    keys.openedAt = now;
    table.noteOpened(connection.mux, keys.name, now);
  }
}
