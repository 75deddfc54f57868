// Sender of sealed datagrams: neighbours of equal size for one endpoint go to
// the kernel as one message, which it cuts apart (UDP_SEGMENT). Where the path
// does not take such a message they go out one by one.
//
// Nothing waits here: the way in may be carried by the same thread. What finds
// the socket full is dropped, as in any router, with the rest of the batch for
// that socket: it would find it full as well.
import { Errno, errnoName } from "../../../ffi/errno.ts";
import {
  copyLocal,
  copySockaddr,
  isLocal,
  LOCAL_WORDS,
  SOCKADDR_SIZE,
  sockaddrFamily,
} from "../../../ffi/net/sockaddr.ts";
import { ANY_SOURCE, UdpSender } from "../../../ffi/net/udp_batches.ts";
import type { Connection } from "../connection.ts";
import { ConnectionCounter, count } from "../counters.ts";
import { readEndpoint } from "../endpoint_words.ts";
import type { Outbound } from "../outbound.ts";
import type { WorkerParts } from "./parts.ts";
import { ENDPOINT_SILENCE_MS } from "../roaming.ts";

/** The kernel takes no longer message over IPv4. */
const MAX_MESSAGE_BYTES = 65507;

/** UDP_MAX_SEGMENTS of kernels before 6.9. */
const MAX_SEGMENTS = 64;

/** In place of a datagram's index. */
const NONE = -1;

/** How long an endpoint is spared after it refused a message, in ms. */
const GSO_RETRY_MS = 60_000;

export interface SendSockets {
  readonly ipv4?: number | undefined;
  readonly ipv6?: number | undefined;
}

type GsoParts = Pick<WorkerParts, "arena" | "libc" | "now"> & {
  readonly log: Pick<WorkerParts["log"], "noSocket" | "sendFailed">;
};

interface GsoSenderOptions {
  readonly sockets: SendSockets;
  /** Whether the kernel is given messages of several datagrams at all. */
  readonly gso: boolean;
}

export class GsoSender {
  readonly #parts: GsoParts;
  readonly #options: GsoSenderOptions;
  readonly #outbound: Outbound;
  readonly #sender: UdpSender;
  readonly #single: UdpSender;
  readonly #destination: number;
  /** Where the address to send from lies, if there is one. */
  readonly #local: number;
  #source = ANY_SOURCE;
  /** First datagram of each message, and one behind the last. */
  readonly #firsts: Uint32Array;
  readonly #ends: Uint32Array;
  /** Sockets that this batch has found full. */
  readonly #full = new Set<number>();

  constructor(
    outbound: Outbound,
    parts: GsoParts,
    options: GsoSenderOptions,
  ) {
    const { libc, arena } = parts;
    const { capacity } = outbound.batch;
    this.#parts = parts;
    this.#options = options;
    this.#outbound = outbound;
    const room = { messages: capacity, pieces: capacity };
    this.#sender = new UdpSender(libc, arena, room);
    this.#single = new UdpSender(libc, arena, { messages: 1, pieces: 1 });
    this.#destination = arena.take(SOCKADDR_SIZE);
    this.#local = arena.take(LOCAL_WORDS * 4);
    this.#firsts = new Uint32Array(capacity);
    this.#ends = new Uint32Array(capacity);
  }

  send(): void {
    const { batch, connections } = this.#outbound;
    // An empty one too would get new memory.
    if (this.#full.size > 0) this.#full.clear();
    for (let first = 0; first < batch.count;) {
      const connection = connections[first];
      const end = this.#endOfConnection(first, connection);
      if (connection !== undefined) this.#sendTo(connection, first, end);
      first = end;
    }
  }

  #endOfConnection(first: number, connection: Connection | undefined): number {
    const { batch, connections } = this.#outbound;
    let end = first + 1;
    while (end < batch.count && connections[end] === connection) end++;
    return end;
  }

  #sendTo(connection: Connection, first: number, end: number): void {
    const { sockets } = this.#options;
    const family = sockaddrFamily(connection.endpoint, 0);
    const fd = family === 4 ? sockets.ipv4 : sockets.ipv6;
    if (fd === undefined) return this.#unreachable(connection, first, end);
    if (this.#full.has(fd)) return this.#drop(connection, first, end);
    this.#collect(connection, first, end);
    const sender = this.#sender;
    const source = this.#source;
    for (let message = 0; message < sender.count;) {
      const sent = sender.send(fd, message);
      if (sent === 0) {
        // Of a run it may be the joining that is refused with the same number.
        const mayBeRun = this.#isRun(message) && refusesGso(sender.errno);
        if (!mayBeRun && this.#isGone(connection, sender.errno)) {
          return this.#sendTo(connection, this.#firsts[message] ?? 0, end);
        }
        const left = this.#refused(fd, connection, message);
        if (left !== NONE) return this.#drop(connection, left, end);
        // The next ones are laid out to leave from the address before.
        if (this.#source !== source) {
          return this.#sendTo(connection, this.#ends[message] ?? end, end);
        }
      }
      message += sent || 1;
    }
  }

  #isRun(message: number): boolean {
    return (this.#ends[message] ?? 0) - (this.#firsts[message] ?? 0) > 1;
  }

  // A host may lose an address while peers still send there: answers leave
  // from where the kernel likes, until a peer is heard at another one.
  #isGone(connection: Connection, errno: number): boolean {
    if (this.#source === ANY_SOURCE || !mayLackAddress(errno)) return false;
    this.#source = ANY_SOURCE;
    connection.local.fill(0);
    this.#outbound.table.endpoints.forgetLocal(connection.mux);
    return true;
  }

  #sourceOf({ local, mux }: Connection): number {
    if (!isLocal(local, 0)) return ANY_SOURCE;
    const { arena, now } = this.#parts;
    const { table } = this.#outbound;
    const isLeft = table.endpoints.calls(mux) &&
      table.isSilent(mux, now(), ENDPOINT_SILENCE_MS);
    if (isLeft) return ANY_SOURCE;
    copyLocal(local, 0, arena.words, this.#local >>> 2);
    return this.#local;
  }

  #drop(connection: Connection, first: number, end: number): void {
    const lost = this.#wantedOf(first, end);
    count(connection.counters, ConnectionCounter.SEND_DROPPED, lost);
  }

  #unreachable(connection: Connection, first: number, end: number): void {
    const lost = this.#wantedOf(first, end);
    const to = readEndpoint(connection.endpoint, 0);
    if (to !== undefined && lost > 0) this.#parts.log.noSocket(to);
    count(connection.counters, ConnectionCounter.SEND_FAILED, lost);
  }

  #wantedOf(first: number, end: number): number {
    const { wanted } = this.#outbound.batch;
    let sum = 0;
    for (let i = first; i < end; i++) sum += wanted[i] ?? 0;
    return sum;
  }

  #collect(connection: Connection, first: number, end: number): void {
    const { arena } = this.#parts;
    const { batch, classes } = this.#outbound;
    const sender = this.#sender;
    const mayJoin = this.#mayJoin(connection);
    copySockaddr(connection.endpoint, 0, arena.words, this.#destination >>> 2);
    this.#source = this.#sourceOf(connection);
    sender.clear();
    for (let i = first; i < end;) {
      if (batch.wanted[i] !== 1) {
        i++;
        continue;
      }
      const next = mayJoin ? this.#endOfRun(i, end) : i + 1;
      const message = sender.count;
      this.#firsts[message] = i;
      this.#ends[message] = next;
      const segment = next - i > 1 ? this.#bytes(i) : 0;
      const trafficClass = classes[i] ?? 0;
      sender.begin(this.#destination, segment, this.#source, trafficClass);
      for (let k = i; k < next; k++) {
        sender.add(batch.startOf(k), this.#bytes(k));
      }
      i = next;
    }
  }

  #mayJoin({ noGsoUntil }: Connection): boolean {
    const { gso } = this.#options;
    const { now } = this.#parts;
    return gso && (noGsoUntil === -Infinity || now() >= noGsoUntil);
  }

  // A run: wanted neighbours of one class and size, of which the last may be
  // shorter.
  #endOfRun(first: number, end: number): number {
    const { batch, classes } = this.#outbound;
    const size = this.#bytes(first);
    const most = first +
      Math.min(MAX_SEGMENTS, Math.floor(MAX_MESSAGE_BYTES / size));
    const bound = Math.min(end, most);
    let i = first + 1;
    while (i < bound && batch.wanted[i] === 1) {
      const next = this.#bytes(i);
      if (next > size || classes[i] !== classes[first]) break;
      i++;
      if (next < size) break;
    }
    return i;
  }

  #bytes(i: number): number {
    const { batch } = this.#outbound;
    return batch.sizeOf(i) + batch.params.tagLength;
  }

  // As in the originals, what the network refuses is only lost (SATP section
  // 5), unless it was the joining that was refused. Returns the first datagram
  // that found the socket full, or NONE.
  #refused(fd: number, connection: Connection, message: number): number {
    const { errno } = this.#sender;
    const first = this.#firsts[message] ?? 0;
    const end = this.#ends[message] ?? 0;
    if (isFull(errno)) {
      this.#full.add(fd);
      return first;
    }
    if (end - first === 1) {
      this.#fail(connection, errno);
      return NONE;
    }
    if (refusesGso(errno)) {
      connection.noGsoUntil = this.#parts.now() + GSO_RETRY_MS;
    }
    for (let i = first; i < end; i++) {
      if (!this.#sendSingle(fd, connection, i)) return i;
    }
    return NONE;
  }

  // Returns false if the socket is full.
  #sendSingle(fd: number, connection: Connection, i: number): boolean {
    const single = this.#single;
    single.clear();
    const { batch, classes } = this.#outbound;
    single.begin(this.#destination, 0, this.#source, classes[i] ?? 0);
    single.add(batch.startOf(i), this.#bytes(i));
    if (single.send(fd, 0) === 1) return true;
    if (this.#isGone(connection, single.errno)) {
      return this.#sendSingle(fd, connection, i);
    }
    if (isFull(single.errno)) {
      this.#full.add(fd);
      return false;
    }
    this.#fail(connection, single.errno);
    return true;
  }

  #fail(connection: Connection, errno: number): void {
    count(connection.counters, ConnectionCounter.SEND_FAILED);
    this.#parts.log.sendFailed(connection, errnoName(errno));
  }
}

/** No room in the socket's buffer, or in the kernel. */
function isFull(errno: number): boolean {
  return errno === Errno.EAGAIN || errno === Errno.ENOBUFS;
}

/** With an address to send from; Linux 6.18 says ENETUNREACH over IPv4. */
function mayLackAddress(errno: number): boolean {
  return errno === Errno.EADDRNOTAVAIL || errno === Errno.EINVAL ||
    errno === Errno.ENETUNREACH;
}

/** A message longer than the path's MTU, or a device that cannot cut it. */
function refusesGso(errno: number): boolean {
  return errno === Errno.EMSGSIZE || errno === Errno.EINVAL ||
    errno === Errno.EIO;
}
