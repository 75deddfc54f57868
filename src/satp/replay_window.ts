// The replay window: which sequence numbers of a sender were seen (SATP section
// 9). It decides as the original daemons do, also around the wrap from 2^32 - 1
// to 0.
import { AgeList } from "./age_list.ts";
import { ReducedSenders } from "./reduced_senders.ts";
import { ReplayMemory } from "./replay_memory.ts";
import type { SenderPool, SenderRecord } from "./sender_pool.ts";

/** The largest window; above it a sender would cost more than 128 KiB. */
export const MAX_WINDOW_SIZE = 1 << 20;

/** Of how many sender ids a connection knows more than the highest number. */
export const DEFAULT_MAX_SENDERS = 1024;

const HALF = 0x7fffffff;
const LAST = 0xffffffff;
const NOWHERE = new Uint32Array(0);

/** Where the highest numbers accepted are kept beyond the life of a window. */
export interface HighestNumbers {
  /** What they are kept in. */
  readonly words: Uint32Array;
  /**
   * Takes over what earlier windows have kept.
   *
   * @returns Highest numbers by sender id; heard last the last
   */
  recall(): ReadonlyMap<number, number>;
  /**
   * The place of a sender, which is found room for if it has none. It is the
   * sender's until {@linkcode rest} or {@linkcode close}.
   *
   * @param highest What to keep there until the next number
   * @returns -1 if there is no room
   */
  open(senderId: number, highest: number): number;
  /** Keeps a number that does not change: it may be forgotten if room is short. */
  rest(senderId: number, highest: number): void;
  /** The number may be forgotten when its place is needed. */
  close(senderId: number): void;
}

/** What others have accepted of the same connection and keys. */
export interface NumberFloors {
  /**
   * All numbers of the sender up to this one count as seen.
   *
   * @returns undefined where nothing is known
   */
  of(senderId: number): number | undefined;
}

/**
 * Decides for each authentic datagram of one connection whether its number is
 * new. Every sender id has a window of its own, made by its first datagram: a
 * peer that takes a new id with every start is never shut out. Where there are
 * too many, the one that has been silent longest keeps its highest number alone,
 * and all up to that count as seen.
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
  readonly #pool: SenderPool;
  readonly #noteReduced: () => void;
  readonly #kept: HighestNumbers | undefined;
  readonly #floors: NumberFloors | undefined;
  readonly #words: Uint32Array;
  readonly #senders = new Map<number, SenderRecord>();
  readonly #ages = new AgeList<SenderRecord>();
  readonly #reduced: ReducedSenders;
  // A power of two, so that positions stay right across the wrap at 2^32.
  #ringBits: number;
  // Datagrams come in trains of one sender: spares most look-ups.
  #lastId = -1;
  #last: SenderRecord | undefined;

  /**
   * Makes an empty window.
   *
   * @param size Numbers in the window, 0 (accept everything) to
   * {@link MAX_WINDOW_SIZE}; each sender takes about `size / 8` bytes
   * @param maxSenders Bound on the sender ids that it knows more of than the
   * highest number; a further one takes the place of the one that has been
   * silent longest
   * @param memory Bounds several windows together
   * @param kept Highest numbers of earlier windows, up to which all count as
   * seen; those of this one are kept there
   * @param floors Numbers that others have accepted; where they have risen,
   * {@linkcode raise} is to be called
   * @throws {RangeError} if a number is out of range
   */
  constructor(
    size: number,
    maxSenders: number = DEFAULT_MAX_SENDERS,
    memory: ReplayMemory = new ReplayMemory(),
    kept?: HighestNumbers,
    floors?: NumberFloors,
  ) {
    checkSize(size);
    if (!Number.isInteger(maxSenders) || maxSenders < 1) {
      throw new RangeError(
        `Cannot tell ${maxSenders} senders apart: it must be 1 or more`,
      );
    }
    this.#size = size;
    this.#maxSenders = maxSenders;
    const { senders, reduced, lost } = memory.rooms;
    this.#pool = senders;
    this.#noteReduced = () => lost("bits");
    this.#kept = kept;
    this.#floors = floors;
    this.#words = kept?.words ?? NOWHERE;
    this.#reduced = new ReducedSenders(reduced, (id) => kept?.close(id));
    this.#ringBits = ringBits(size);
    if (size > 0) this.#recall();
  }

  /** How many numbers back a datagram may be; 0 means no check at all. */
  get size(): number {
    return this.#size;
  }

  /** How many sender ids something is known of. */
  get senders(): number {
    return this.#senders.size + this.#reduced.size;
  }

  /** Bytes that it takes, roughly. */
  get bytes(): number {
    let { bytes } = this.#reduced;
    for (const sender of this.#senders.values()) bytes += sender.bytes;
    return bytes;
  }

  /** Forgets everything: what was seen before is new again. */
  clear(): void {
    for (const sender of this.#senders.values()) {
      this.#close(sender);
      this.#kept?.close(sender.id);
    }
    this.#reduced.clear();
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
      const seen = new Uint32Array(wordsOf(bits));
      for (let back = 0; back < size; back++) {
        const seq = (sender.highest - back) >>> 0;
        const isNew = back < known && !isSet(before, this.#ringBits, seq);
        if (!isNew) setBit(seen, bits, seq);
      }
      this.#pool.exchange(sender, seen);
    }
    const isFirst = this.#size === 0;
    this.#size = size;
    this.#ringBits = bits;
    if (isFirst) this.#recall();
  }

  /**
   * Looks at the floors again: what is up to them counts as seen from now on.
   * Senders that it has not heard are looked up with their first datagram.
   */
  raise(): void {
    if (this.#floors === undefined || this.#size === 0) return;
    for (const sender of this.#senders.values()) {
      const floor = this.#floors.of(sender.id);
      if (floor !== undefined) this.#raise(sender, floor);
    }
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
    const sender = this.#find(senderId) ?? this.#open(senderId, seq);
    if (sender === undefined || !this.#judge(sender, seq)) return false;
    // Only what was accepted is a sign of life: datagrams that are sent again do
    // not keep an id alive.
    if (this.#pool.renew(sender)) this.#ages.renew(sender.inWindow);
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
    if (sender === undefined) return this.#mayBeSeen(senderId, seq);
    const ahead = this.#ahead(sender.highest, seq);
    return this.#isOld(sender, seq, ahead);
  }

  /**
   * The highest number accepted from a sender, or undefined before its first.
   * A datagram that moves the peer's endpoint must carry it.
   */
  highest(senderId: number): number | undefined {
    const sender = this.#find(senderId);
    return sender?.highest ?? this.#reduced.highest(senderId);
  }

  #find(senderId: number): SenderRecord | undefined {
    if (senderId !== this.#lastId) {
      this.#last = this.#senders.get(senderId);
      this.#lastId = senderId;
    }
    return this.#last;
  }

  /** Of a sender of which one number is known at most. */
  #mayBeSeen(senderId: number, seq: number): boolean {
    const highest = this.#known(senderId);
    return highest !== undefined && this.#ahead(highest, seq) <= 0;
  }

  /** Up to which all numbers of a sender without bits count as seen. */
  #known(senderId: number): number | undefined {
    const own = this.#reduced.highest(senderId);
    const floor = this.#size === 0 ? undefined : this.#floors?.of(senderId);
    if (own === undefined || floor === undefined) return own ?? floor;
    return this.#ahead(own, floor) > 0 ? floor : own;
  }

  /** @returns undefined for a datagram that would be refused */
  #open(senderId: number, seq: number): SenderRecord | undefined {
    if (this.#size > 0 && this.#mayBeSeen(senderId, seq)) return undefined;
    const known = this.#known(senderId);
    this.#reduced.delete(senderId);
    const oldest = this.#ages.oldest;
    if (this.#senders.size >= this.#maxSenders) oldest?.reduce(oldest);
    const words = wordsOf(this.#ringBits);
    const sender = this.#pool.open(senderId, words, this.#reduce);
    // Without one before, all numbers behind the first are new.
    sender.highest = known ?? (seq - 1) >>> 0;
    if (known !== undefined) sender.seen.fill(-1);
    sender.place = this.#size === 0
      ? -1
      : this.#kept?.open(senderId, sender.highest) ?? -1;
    this.#ages.add(sender.inWindow);
    this.#senders.set(senderId, sender);
    this.#lastId = -1;
    return sender;
  }

  #close(sender: SenderRecord): void {
    this.#senders.delete(sender.id);
    this.#ages.remove(sender.inWindow);
    this.#pool.close(sender);
    this.#lastId = -1;
  }

  readonly #reduce = (sender: SenderRecord): void => {
    this.#noteReduced();
    this.#close(sender);
    this.#keepHighest(sender.id, sender.highest);
  };

  #keepHighest(senderId: number, highest: number): void {
    if (this.#reduced.put(senderId, highest)) {
      this.#kept?.rest(senderId, highest);
    } else this.#kept?.close(senderId);
  }

  // From the first check on: without one nothing is kept. What is known by then
  // are highest numbers, too.
  #recall(): void {
    const kept = this.#kept;
    if (kept === undefined) return;
    const earlier = kept.recall();
    for (const sender of this.#senders.values()) {
      this.#close(sender);
      this.#reduced.put(sender.id, sender.highest);
    }
    for (const [senderId, highest] of earlier) {
      const known = this.#reduced.highest(senderId) ?? highest;
      const isBehind = ((highest - known) | 0) < 0;
      this.#keepHighest(senderId, isBehind ? known : highest);
    }
    for (const [senderId, highest] of this.#reduced.entries()) {
      if (!earlier.has(senderId)) kept.rest(senderId, highest >>> 0);
    }
  }

  // The highest number may be one that was heard elsewhere from now on: what is
  // kept beyond the window stays what this one has accepted.
  #raise(sender: SenderRecord, floor: number): void {
    const ahead = this.#ahead(sender.highest, floor);
    if (ahead > 0) {
      sender.highest = floor;
      sender.seen.fill(-1);
      return;
    }
    const count = this.#size + ahead;
    if (count <= 0) return;
    const first = (sender.highest - this.#size + 1) >>> 0;
    setBits(sender.seen, this.#ringBits, first, count, true);
  }

  #judge(sender: SenderRecord, seq: number): boolean {
    if (this.#size === 0) {
      if (((seq - sender.highest) | 0) > 0) this.#rise(sender, seq);
      return true;
    }
    const ahead = this.#ahead(sender.highest, seq);
    if (this.#isOld(sender, seq, ahead)) return false;
    if (ahead > 0) this.#advance(sender, seq, ahead);
    else setBit(sender.seen, this.#ringBits, seq);
    return true;
  }

  // How far in front of the highest number.
  #ahead(highest: number, seq: number): number {
    const size = this.#size;
    // Near either end of the number range, compare half the range away.
    const shift = highest < size ? HALF : highest > LAST - size ? -HALF : 0;
    return ((seq + shift) >>> 0) - ((highest + shift) >>> 0);
  }

  #isOld({ seen }: SenderRecord, seq: number, ahead: number): boolean {
    if (ahead > 0) return false;
    return ahead === 0 || ahead <= -this.#size ||
      isSet(seen, this.#ringBits, seq);
  }

  // The numbers between the old and the new highest were not seen.
  #advance(sender: SenderRecord, seq: number, distance: number): void {
    const { seen, highest } = sender;
    if (distance >= this.#ringBits) seen.fill(0);
    else setBits(seen, this.#ringBits, highest + 1, distance - 1, false);
    this.#rise(sender, seq);
    setBit(seen, this.#ringBits, seq);
  }

  #rise(sender: SenderRecord, seq: number): void {
    sender.highest = seq;
    if (sender.place >= 0) this.#words[sender.place] = seq;
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

function wordsOf(bits: number): number {
  return bits >>> 5;
}

function isSet(seen: Uint32Array, bits: number, seq: number): boolean {
  const bit = seq & (bits - 1);
  return ((seen[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
}

function setBit(seen: Uint32Array, bits: number, seq: number): void {
  const bit = seq & (bits - 1);
  seen[bit >>> 5] = (seen[bit >>> 5] ?? 0) | (1 << (bit & 31));
}

// By whole words where it can: a datagram may be a million numbers ahead.
function setBits(
  seen: Uint32Array,
  bits: number,
  seq: number,
  count: number,
  isSeen: boolean,
): void {
  let bit = seq & (bits - 1);
  for (let left = count; left > 0;) {
    const word = bit >>> 5;
    const offset = bit & 31;
    let done = Math.min(left, 32 - offset);
    if (done < 32) {
      const mask = ((1 << done) - 1) << offset;
      const before = seen[word] ?? 0;
      seen[word] = isSeen ? before | mask : before & ~mask;
    } else {
      const words = wordsOf(Math.min(left, bits - bit));
      seen.fill(isSeen ? -1 : 0, word, word + words);
      done = words * 32;
    }
    bit = (bit + done) & (bits - 1);
    left -= done;
  }
}
