// The replay window: which sequence numbers of a sender were seen (SATP section
// 9). It decides as the original daemons do, also around the wrap from 2^32 - 1
// to 0.

/** The largest window; above it a sender would cost more than 128 KiB. */
export const MAX_WINDOW_SIZE = 1 << 20;

/** How many sender ids of one connection are told apart. */
export const DEFAULT_MAX_SENDERS = 1024;

const HALF = 0x7fffffff;
const LAST = 0xffffffff;

interface Sender {
  /** The highest number accepted, "M" in the specification. */
  highest: number;
  /** One bit for each number of the window, at the number modulo the size. */
  seen: Uint32Array;
}

/**
 * Decides for each authentic datagram of one connection whether its number is
 * new. Every sender id has a window of its own, made by its first datagram. Where
 * there are too many, the one that has been silent longest is forgotten: a peer
 * that takes a new id with every start is never shut out.
 *
 * @example A duplicate is refused
 * ```ts
 * import { ReplayWindow } from "@anytun/anytun";
 * import { strict as assert } from "node:assert";
 *
 * const window = new ReplayWindow(64);
 * assert.equal(window.accept(0, 1000), true);
 * assert.equal(window.accept(0, 1000), false);
 * assert.equal(window.accept(0, 999), true);
 * assert.equal(window.accept(7, 1000), true); // another sender
 * ```
 */
export class ReplayWindow {
  #size: number;
  readonly #maxSenders: number;
  readonly #senders = new Map<number, Sender>();
  // A power of two, so that positions stay right across the wrap at 2^32.
  #ringBits: number;
  // The last one of the map: whose datagram was accepted last.
  #newestId = -1;
  // Datagrams come in trains of one sender: spares most look-ups.
  #lastId = -1;
  #last: Sender | undefined;

  /**
   * Makes an empty window.
   *
   * @param size Numbers in the window, 0 (accept everything) to
   * {@link MAX_WINDOW_SIZE}; each sender takes about `size / 8` bytes
   * @param maxSenders Bound on the sender ids that are told apart; a further
   * one takes the place of the one that has been silent longest
   * @throws {RangeError} if a number is out of range
   */
  constructor(size: number, maxSenders: number = DEFAULT_MAX_SENDERS) {
    checkSize(size);
    if (!Number.isInteger(maxSenders) || maxSenders < 1) {
      throw new RangeError(
        `Cannot tell ${maxSenders} senders apart: it must be 1 or more`,
      );
    }
    this.#size = size;
    this.#maxSenders = maxSenders;
    this.#ringBits = ringBits(size);
  }

  /** How many numbers back a datagram may be; 0 means no check at all. */
  get size(): number {
    return this.#size;
  }

  /** How many sender ids are told apart at present. */
  get senders(): number {
    return this.#senders.size;
  }

  /**
   * Gives the window another size, and keeps what it has seen. A larger one
   * knows nothing of the numbers that lay behind the smaller one: they count as
   * seen, since they may have been.
   *
   * @param size Numbers in the window, 0 to {@link MAX_WINDOW_SIZE}
   * @throws {RangeError} if it is out of range
   */
  resize(size: number): void {
    checkSize(size);
    if (size === this.#size) return;
    const known = Math.min(this.#size, size);
    const bits = ringBits(size);
    for (const sender of this.#senders.values()) {
      const before = sender.seen;
      sender.seen = newRing(bits);
      for (let back = 0; back < size; back++) {
        const seq = (sender.highest - back) >>> 0;
        const isNew = back < known && !isMarked(before, this.#ringBits, seq);
        if (!isNew) mark(sender.seen, bits, seq);
      }
    }
    this.#size = size;
    this.#ringBits = bits;
  }

  /**
   * Whether the datagram is new; if so it is remembered.
   *
   * Call it for authentic datagrams only: anything else could move the window.
   *
   * @param senderId Sender id of the datagram, 0 to 65535
   * @param seq Sequence number of the datagram, 0 to 2^32 - 1
   * @throws {RangeError} if a number is out of range
   */
  accept(senderId: number, seq: number): boolean {
    checkNumbers(senderId, seq);
    const sender = this.#find(senderId);
    if (sender === undefined) this.#open(senderId, seq);
    else if (this.#size === 0) {
      if (((seq - sender.highest) | 0) > 0) sender.highest = seq;
    } else if (!this.#judge(sender, seq)) return false;
    if (senderId !== this.#newestId) this.#renew(senderId);
    return true;
  }

  /**
   * Whether {@link accept} would refuse the datagram. Nothing is remembered:
   * it may be asked for datagrams that are not authentic, or not yet.
   *
   * @param senderId Sender id of the datagram, 0 to 65535
   * @param seq Sequence number of the datagram, 0 to 2^32 - 1
   * @throws {RangeError} if a number is out of range
   */
  refuses(senderId: number, seq: number): boolean {
    checkNumbers(senderId, seq);
    if (this.#size === 0) return false;
    const sender = this.#find(senderId);
    return sender !== undefined &&
      this.#isOld(sender, seq, this.#ahead(sender, seq));
  }

  /**
   * The highest number accepted from a sender, or undefined before its first.
   * A datagram that moves the peer's endpoint must carry it.
   */
  highest(senderId: number): number | undefined {
    return this.#find(senderId)?.highest;
  }

  #find(senderId: number): Sender | undefined {
    if (senderId !== this.#lastId) {
      this.#last = this.#senders.get(senderId);
      this.#lastId = senderId;
    }
    return this.#last;
  }

  #open(senderId: number, seq: number): void {
    if (this.#senders.size >= this.#maxSenders) this.#forgetOldest();
    const sender = { highest: seq, seen: newRing(this.#ringBits) };
    if (this.#size > 0) mark(sender.seen, this.#ringBits, seq);
    this.#senders.set(senderId, sender);
    this.#lastId = -1;
  }

  // A map keeps the order of insertion.
  #forgetOldest(): void {
    for (const oldest of this.#senders.keys()) {
      this.#senders.delete(oldest);
      return;
    }
  }

  // Only what was accepted is a sign of life: datagrams that are sent again do
  // not keep an id alive.
  #renew(senderId: number): void {
    const sender = this.#find(senderId);
    if (sender === undefined) return;
    this.#senders.delete(senderId);
    this.#senders.set(senderId, sender);
    this.#newestId = senderId;
  }

  #judge(sender: Sender, seq: number): boolean {
    const ahead = this.#ahead(sender, seq);
    if (this.#isOld(sender, seq, ahead)) return false;
    if (ahead > 0) this.#advance(sender, seq, ahead);
    else mark(sender.seen, this.#ringBits, seq);
    return true;
  }

  // How far in front of the highest number.
  #ahead({ highest }: Sender, seq: number): number {
    const size = this.#size;
    // Near either end of the number range, compare half the range away.
    const shift = highest < size ? HALF : highest > LAST - size ? -HALF : 0;
    return ((seq + shift) >>> 0) - ((highest + shift) >>> 0);
  }

  #isOld({ seen }: Sender, seq: number, ahead: number): boolean {
    if (ahead > 0) return false;
    return ahead === 0 || ahead <= -this.#size ||
      isMarked(seen, this.#ringBits, seq);
  }

  // The numbers between the old and the new highest were not seen.
  #advance(sender: Sender, seq: number, distance: number): void {
    const mask = this.#ringBits - 1;
    if (distance >= this.#ringBits) sender.seen.fill(0);
    else {
      for (let k = 1; k < distance; k++) {
        const bit = (sender.highest + k) & mask;
        sender.seen[bit >>> 5] = (sender.seen[bit >>> 5] ?? 0) &
          ~(1 << (bit & 31));
      }
    }
    sender.highest = seq;
    mark(sender.seen, this.#ringBits, seq);
  }
}

function checkSize(size: number): void {
  if (Number.isInteger(size) && size >= 0 && size <= MAX_WINDOW_SIZE) return;
  throw new RangeError(
    `Cannot make a replay window of ${size}: it must be 0 to ${MAX_WINDOW_SIZE}`,
  );
}

function checkNumbers(senderId: number, seq: number): void {
  if (seq >>> 0 === seq && (senderId & 0xffff) === senderId) return;
  throw new RangeError(
    `Cannot judge sender id ${senderId}, sequence number ${seq}: they must be 16 and 32 bit numbers`,
  );
}

function ringBits(size: number): number {
  return size === 0 ? 0 : Math.max(32, 2 ** Math.ceil(Math.log2(size)));
}

function newRing(bits: number): Uint32Array {
  return new Uint32Array(bits >>> 5);
}

function isMarked(seen: Uint32Array, bits: number, seq: number): boolean {
  const bit = seq & (bits - 1);
  return ((seen[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
}

function mark(seen: Uint32Array, bits: number, seq: number): void {
  const bit = seq & (bits - 1);
  seen[bit >>> 5] = (seen[bit >>> 5] ?? 0) | (1 << (bit & 31));
}
