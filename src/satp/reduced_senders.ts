// Senders of which the highest number alone is left, in the room that all
// windows share for them.
import { ByAmount } from "./by_amount.ts";
import { QueueMap } from "./queue_map.ts";

/** Of one of them, roughly. */
export const REDUCED_BYTES = 48;

export class ReducedRoom {
  readonly #most: number;
  readonly #lost: () => void;
  readonly #windows = new ByAmount<ReducedSenders>();
  #count = 0;

  /** @param lost Called whenever one has to be forgotten */
  constructor(most: number, lost: () => void) {
    this.#most = most;
    this.#lost = lost;
  }

  get bytes(): number {
    return this.#count * REDUCED_BYTES;
  }

  /**
   * For one more of a window: who has a key and takes all sender ids has its own
   * forgotten, and not those of others.
   *
   * @returns false if there is no room at all
   */
  take(window: ReducedSenders): boolean {
    if (this.#count >= this.#most) {
      this.#lost();
      const largest = this.#windows.largest();
      if (largest === undefined) return false;
      largest.forgetOldest();
    }
    this.#count++;
    this.#windows.move(window, window.size, window.size + 1);
    return true;
  }

  /** After a window has got smaller. */
  giveBack(window: ReducedSenders, before: number): void {
    this.#count -= before - window.size;
    this.#windows.move(window, before, window.size);
  }
}

/** Those of one window. */
export class ReducedSenders {
  readonly #room: ReducedRoom;
  readonly #forgotten: (senderId: number) => void;
  /** Highest numbers; as integers of 32 bits they need no box. */
  #highest = new QueueMap<number, number>();

  /** @param forgotten Called with whose recordings are new from now on */
  constructor(room: ReducedRoom, forgotten: (senderId: number) => void) {
    this.#room = room;
    this.#forgotten = forgotten;
  }

  get size(): number {
    return this.#highest.size;
  }

  get bytes(): number {
    return this.size * REDUCED_BYTES;
  }

  highest(senderId: number): number | undefined {
    const highest = this.#highest.get(senderId);
    return highest === undefined ? undefined : highest >>> 0;
  }

  /** @returns Whether there is room for it */
  put(senderId: number, highest: number): boolean {
    const isKnown = this.#highest.get(senderId) !== undefined;
    if (!isKnown && !this.#room.take(this)) return false;
    this.#highest.set(senderId, highest | 0);
    return true;
  }

  delete(senderId: number): void {
    if (this.#highest.delete(senderId)) {
      this.#room.giveBack(this, this.size + 1);
    }
  }

  forgetOldest(): void {
    const oldest = this.#highest.takeOldest();
    if (oldest === undefined) return;
    this.#room.giveBack(this, this.size + 1);
    this.#forgotten(oldest.key);
  }

  clear(): void {
    const before = this.#highest;
    this.#highest = new QueueMap();
    this.#room.giveBack(this, before.size);
    for (const [senderId] of before.entries()) this.#forgotten(senderId);
  }

  /** Sender ids and highest numbers, as integers of 32 bits. */
  entries(): Iterable<[number, number]> {
    return this.#highest.entries();
  }
}
