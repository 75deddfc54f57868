// Log of the changes of a ledger, for readers who go on where they were.

/** Places of the log that may be out of use, beside as many as are in use. */
const SPARE = 1024;

/** Something that changes. */
export interface Revised {
  /** Of the last change; moves with each, and is 0 for what is forgotten. */
  revision: number;
  /** Whether all readers are to hear of the last change from here. */
  isOurs: boolean;
}

export interface Slot<E> {
  readonly revision: number;
  readonly entry: E;
}

/** Somebody who goes through the changes. */
export interface Reader {
  /** The revision that it has come to. */
  at: number;
  /** Up to here it is told everything, from there on only what is ours. */
  from: number;
}

export class RevisionLog<E extends Revised> {
  readonly #readers = new Set<Reader>();
  /** By revision; a place is in use while the entry has its revision. */
  #slots: Slot<E>[] = [];
  #revision = 0;

  /** Moves with each change. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Looks after the place of a reader.
   * @returns Ends that
   */
  watch(reader: Reader): () => void {
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  /** The first change behind a revision, whoever is to hear of it. */
  after(revision: number): Slot<E> | undefined {
    let low = 0;
    for (let high = this.#slots.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#slots[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    for (; low < this.#slots.length; low++) {
      const slot = this.#slots[low];
      if (slot !== undefined && isUsed(slot)) return slot;
    }
    return undefined;
  }

  /**
   * @param isOurs Whether all others are to hear it from here
   * @param inUse How many entries there are
   */
  change(entry: E, isOurs: boolean, inUse: number): void {
    const before = this.#revision++;
    for (const reader of isOurs ? [] : this.#readers) {
      if (reader.at === before) reader.at = this.#revision;
      // What it was to be told is told as it is now.
      else if (isDue(entry, reader)) reader.from = this.#revision;
    }
    entry.revision = this.#revision;
    entry.isOurs = isOurs;
    this.#slots.push({ revision: entry.revision, entry });
    if (this.#slots.length > 2 * inUse + SPARE) {
      this.#slots = this.#slots.filter(isUsed);
    }
  }
}

/** Whether a reader is still to be told of the last change. */
export function isDue({ revision, isOurs }: Revised, reader: Reader): boolean {
  return revision > reader.at && (isOurs || revision <= reader.from);
}

function isUsed({ revision, entry }: Slot<Revised>): boolean {
  return entry.revision === revision;
}
