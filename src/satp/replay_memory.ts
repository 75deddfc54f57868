// Memory of the replay windows of all connections, and its bound.
import { AgeList, AgePlace } from "./age_list.ts";

/** What windows take together unless they are told otherwise. */
export const DEFAULT_REPLAY_BYTES = 128 << 20;

/** Without its bits, in all tables and lists; roughly. */
const SENDER_BYTES = 400;

/** Of a sender of which only the highest number is left. */
export const FORMER_BYTES = 48;

/**
 * What was lost: `bits`, so that late datagrams of a sender are refused though
 * they were not seen; or `sender`, so that its recordings count as new.
 */
export type ReplayLoss = "bits" | "sender";

/** What is known of a sender id. */
export class SenderRecord {
  id: number;
  /** The highest number accepted, "M" in the specification. */
  highest = 0;
  /** Where that is kept beyond the life of the window, or -1. */
  place = -1;
  /** One bit for each number of the window, at the number modulo the size. */
  seen: Uint32Array;
  /** Of the window that it belongs to: leaves it its highest number alone. */
  reduce: (sender: SenderRecord) => void;
  readonly inWindow: AgePlace<SenderRecord> = new AgePlace(this);
  readonly inMemory: AgePlace<SenderRecord> = new AgePlace(this);

  constructor(
    id: number,
    seen: Uint32Array,
    reduce: (sender: SenderRecord) => void,
  ) {
    this.id = id;
    this.seen = seen;
    this.reduce = reduce;
  }

  get bytes(): number {
    return SENDER_BYTES + this.seen.byteLength;
  }
}

/**
 * Bound on what several {@linkcode ReplayWindow}s remember together. Where it is
 * reached, the sender that has been silent longest, of whichever window, keeps
 * its highest number alone: all up to that count as seen. Only where a quarter
 * of the memory holds nothing but such numbers, one of them is forgotten for
 * each new one.
 */
export class ReplayMemory {
  readonly #mostBytes: number;
  readonly #mostFormer: number;
  readonly #lost: (loss: ReplayLoss) => void;
  readonly #senders = new AgeList<SenderRecord>();
  #bytes = 0;
  #former = 0;
  /** Given up last: the next one need not be allocated. */
  #spare: SenderRecord | undefined;

  /**
   * Makes an empty memory.
   *
   * @param bytes What all windows take together, roughly
   * @param lost Called whenever the bound costs something
   */
  constructor(
    bytes: number = DEFAULT_REPLAY_BYTES,
    lost: (loss: ReplayLoss) => void = () => {},
  ) {
    this.#mostFormer = Math.floor(bytes / 4 / FORMER_BYTES);
    this.#mostBytes = bytes - this.#mostFormer * FORMER_BYTES;
    this.#lost = lost;
  }

  /** Bytes taken at present, roughly. */
  get bytes(): number {
    return this.#bytes + this.#former * FORMER_BYTES;
  }

  /**
   * A record whose bits are all 0, which counts as used last.
   *
   * @internal
   */
  open(
    id: number,
    words: number,
    reduce: (sender: SenderRecord) => void,
  ): SenderRecord {
    this.#makeRoom(SENDER_BYTES + words * 4);
    const sender = this.#takeSpare(words) ??
      new SenderRecord(id, new Uint32Array(words), reduce);
    sender.id = id;
    sender.reduce = reduce;
    this.#senders.add(sender.inMemory);
    this.#bytes += sender.bytes;
    return sender;
  }

  /**
   * Has a sender count as used last.
   *
   * @internal
   * @returns false if it did already, and so does in its window
   */
  renew(sender: SenderRecord): boolean {
    return this.#senders.renew(sender.inMemory);
  }

  /**
   * Gives a sender other bits; it may be reduced for them.
   *
   * @internal
   */
  exchange(sender: SenderRecord, seen: Uint32Array): void {
    this.#bytes += seen.byteLength - sender.seen.byteLength;
    sender.seen = seen;
    this.#makeRoom(0);
  }

  /**
   * Takes back the record of a sender.
   *
   * @internal
   */
  close(sender: SenderRecord): void {
    this.#senders.remove(sender.inMemory);
    this.#bytes -= sender.bytes;
    this.#spare = sender;
  }

  /**
   * A sender was left its highest number alone.
   *
   * @internal
   */
  noteReduced(): void {
    this.#lost("bits");
  }

  /**
   * Takes room for a highest number.
   *
   * @internal
   * @returns false if one has to be given up for it
   */
  addFormer(): boolean {
    if (this.#former >= this.#mostFormer) {
      this.#lost("sender");
      return false;
    }
    this.#former++;
    return true;
  }

  /**
   * Gives back the room of highest numbers.
   *
   * @internal
   */
  removeFormer(count: number): void {
    this.#former -= count;
  }

  #makeRoom(bytes: number): void {
    while (this.#bytes > 0 && this.#bytes + bytes > this.#mostBytes) {
      const { oldest } = this.#senders;
      oldest?.reduce(oldest);
    }
  }

  #takeSpare(words: number): SenderRecord | undefined {
    const spare = this.#spare;
    if (spare?.seen.length !== words) return undefined;
    this.#spare = undefined;
    spare.seen.fill(0);
    return spare;
  }
}
