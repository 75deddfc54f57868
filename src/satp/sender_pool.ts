// Senders of which a window knows each number, in the memory that all windows
// share for them.
import { AgeList, AgePlace } from "./age_list.ts";

/** Without its bits, in all tables and lists; roughly. */
const SENDER_BYTES = 400;

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

/** Where it is short, the sender that has been silent longest is reduced. */
export class SenderPool {
  readonly #mostBytes: number;
  readonly #senders = new AgeList<SenderRecord>();
  #bytes = 0;
  /** Given up last: the next one need not be allocated. */
  #spare: SenderRecord | undefined;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A record whose bits are all 0, which counts as used last. */
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
   * @returns false if it did already, and so does in its window
   */
  renew(sender: SenderRecord): boolean {
    return this.#senders.renew(sender.inMemory);
  }

  /** Gives a sender other bits; it may be reduced for them. */
  exchange(sender: SenderRecord, seen: Uint32Array): void {
    this.#bytes += seen.byteLength - sender.seen.byteLength;
    sender.seen = seen;
    this.#makeRoom(0);
  }

  /** Takes back the record of a sender. */
  close(sender: SenderRecord): void {
    this.#senders.remove(sender.inMemory);
    this.#bytes -= sender.bytes;
    this.#spare = sender;
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
