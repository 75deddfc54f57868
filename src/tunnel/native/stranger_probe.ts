// Probe of joined datagrams from strangers: one tag decides on all of them.
//
// The kernel joins datagrams of one source, up to 64, and each forged one would
// cost a tag: a message as cheap to send as a single datagram would take the time
// of 64. A peer's datagrams come from its endpoint, or prove the new one. With
// several keys of a connection it is one tag for each of them.
import { sameSockaddr } from "../../../ffi/net/sockaddr.ts";
import type { UdpReceiver } from "../../../ffi/net/udp_batches.ts";
import type { DatagramBatch } from "../../satp/batch.ts";
import {
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  readMux,
} from "../../satp/header.ts";
import type { KeySchedule } from "../../satp/key_derivation.ts";
import { authenticateBatch } from "../../satp/pipeline.ts";
import type { MuxShare } from "../../state/accepted_memory.ts";
import type { Connection } from "../connection.ts";
import { ConnectionCounter, count, PlaneCounter } from "../counters.ts";
import type { WorkerParts } from "./parts.ts";

/** Fewer joined ones are not worth a tag of their own. */
const LEAST_JOINED = 3;

type Messages = Pick<
  UdpReceiver,
  "at" | "senderAt" | "sizes" | "segmentSizes"
>;

type ProbeParts =
  & Pick<WorkerParts, "connections" | "counters" | "engine">
  & {
    readonly log: Pick<WorkerParts["log"], "wrongTag">;
    readonly samples?: WorkerParts["samples"];
  };

export class StrangerProbe {
  /** 1 for each message that is to be dropped, by its place. */
  readonly forged: Uint8Array;
  readonly #parts: ProbeParts;
  readonly #batch: DatagramBatch;
  readonly #schedules: (KeySchedule | null)[];
  readonly #connections: (Connection | undefined)[];
  /** Which message each datagram of the batch is of. */
  readonly #messages: Uint32Array;
  /** 1 for each datagram of the batch that some keys have opened. */
  readonly #genuine: Uint8Array;
  readonly #index: number;
  readonly #of: number;
  /** Which datagram is taken: a sender does not know. */
  #turn = 0;

  /**
   * @param batch With room for a datagram of each message
   * @param share Without it all connections are taken in
   */
  constructor(
    batch: DatagramBatch,
    parts: ProbeParts,
    share: MuxShare | undefined,
  ) {
    this.#batch = batch;
    this.#parts = parts;
    this.forged = new Uint8Array(batch.capacity);
    this.#schedules = new Array(batch.capacity).fill(null);
    this.#connections = new Array(batch.capacity).fill(undefined);
    this.#messages = new Uint32Array(batch.capacity);
    this.#genuine = new Uint8Array(batch.capacity);
    this.#index = share?.index ?? 0;
    this.#of = share?.of ?? 1;
  }

  /** Looks at the first messages of a receiver; see {@link forged}. */
  look(received: Messages, count: number): void {
    const batch = this.#batch;
    batch.count = 0;
    for (let m = 0; m < count; m++) {
      this.forged[m] = 0;
      const joined = joinedIn(received, m);
      if (joined >= LEAST_JOINED && this.#isOfStranger(received, m)) {
        this.#choose(received, m, joined);
      }
    }
    for (let attempt = 0; this.#tryKeys(attempt); attempt++) {
      authenticateBatch(this.#parts.engine, batch, this.#schedules);
    }
    for (let i = 0; i < batch.count; i++) {
      if (this.#genuine[i] !== 1) this.#drop(received, i);
    }
  }

  // The peer may move with the first datagrams that it seals with other keys.
  #tryKeys(attempt: number): boolean {
    const { count, wanted } = this.#batch;
    let some = false;
    for (let i = 0; i < count; i++) {
      if (wanted[i] === 1) this.#genuine[i] = 1;
      wanted[i] = 0;
      const keys = this.#connections[i]?.sets[attempt];
      if (keys === undefined || this.#genuine[i] === 1) continue;
      this.#schedules[i] = keys.schedules.open;
      wanted[i] = 1;
      some = true;
    }
    return some;
  }

  #isOfStranger(received: Messages, m: number): boolean {
    const { words, memory } = this.#batch;
    const mux = readMux(memory, received.at(m));
    const endpoint = this.#parts.connections.get(mux)?.endpoint;
    return endpoint === undefined ||
      !sameSockaddr(endpoint, 0, words, received.senderAt(m) >>> 2);
  }

  // One that would cost a tag: in a message without any there is nothing to save.
  #choose(received: Messages, m: number, joined: number): void {
    const size = received.sizes[m] ?? 0;
    const segment = received.segmentSizes[m] ?? 0;
    const first = this.#turn = (this.#turn + 1) >>> 0;
    for (let k = 0; k < joined; k++) {
      const done = (first + k) % joined * segment;
      const at = received.at(m) + done;
      if (this.#take(m, at, Math.min(segment, size - done))) return;
    }
  }

  #take(m: number, at: number, size: number): boolean {
    const batch = this.#batch;
    const { tagLength } = batch.params;
    if (size < HEADER_BYTES + tagLength || size > MAX_DATAGRAM_BYTES) {
      return false;
    }
    const mux = readMux(batch.memory, at);
    if (mux % this.#of !== this.#index) return false;
    const connection = this.#parts.connections.get(mux);
    if (connection?.sets[0] === undefined) return false;
    const i = batch.count++;
    batch.at[i] = at;
    batch.size[i] = size - tagLength;
    batch.wanted[i] = this.#genuine[i] = 0;
    this.#connections[i] = connection;
    this.#messages[i] = m;
    return true;
  }

  #drop(received: Messages, i: number): void {
    const { counters, log, samples } = this.#parts;
    const batch = this.#batch;
    const m = this.#messages[i] ?? 0;
    const connection = this.#connections[i];
    if (connection === undefined) return;
    this.forged[m] = 1;
    count(connection.counters, ConnectionCounter.WRONG_TAG);
    count(counters, PlaneCounter.FORGED_JOINED, joinedIn(received, m) - 1);
    const from = received.senderAt(m) >>> 2;
    log.wrongTag(connection, batch.words, from);
    const size = batch.sizeOf(i) + batch.params.tagLength;
    const at = batch.startOf(i);
    samples?.offer(connection, batch.memory, at, size, batch.words, from);
  }
}

/** How many datagrams a message is of. */
function joinedIn({ sizes, segmentSizes }: Messages, m: number): number {
  const size = sizes[m] ?? 0;
  const segment = segmentSizes[m] ?? 0;
  return size > segment ? Math.ceil(size / segment) : 1;
}
