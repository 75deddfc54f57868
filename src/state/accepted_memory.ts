// Records of accepted numbers from the side of a thread that receives: those of
// its connections, and the free ones that are its to give away.
import { ByAmount } from "../satp/by_amount.ts";
import { QueueMap } from "../satp/queue_map.ts";
import {
  type AcceptedRecord,
  FILE_WORDS,
  HIGHEST,
  placeOf,
  readRecord,
  RECORDS,
  writeRecord,
} from "./accepted_records.ts";

/** Of several threads: connections whose mux modulo `of` is `index`. */
export interface MuxShare {
  readonly index: number;
  readonly of: number;
}

/** The senders of one connection and its keys; see `HighestNumbers` of SATP. */
export class KeptSenders {
  readonly words: Uint32Array;
  readonly #memory: AcceptedMemory;
  readonly #mux: number;
  readonly #fingerprint: number;
  /** By sender id; those that the window writes to. */
  readonly #places = new Map<number, number>();
  /** Those that only stay. */
  readonly #resting = new QueueMap<number, number>();

  constructor(memory: AcceptedMemory, mux: number, fingerprint: number) {
    this.words = memory.words;
    this.#memory = memory;
    this.#mux = mux;
    this.#fingerprint = fingerprint;
  }

  /** How many it could give up. */
  get resting(): number {
    return this.#resting.size;
  }

  recall(): ReadonlyMap<number, number> {
    const highest = new Map<number, number>();
    const places = this.#memory.recall(this.#mux, this.#fingerprint);
    for (const [senderId, place] of places) {
      highest.set(senderId, this.words[place] ?? 0);
      const isKnown = this.#places.has(senderId) ||
        this.#resting.get(senderId) !== undefined;
      if (isKnown) this.#memory.release(place);
      else this.#rest(senderId, place);
    }
    return highest;
  }

  open(senderId: number, highest: number): number {
    const known = this.#places.get(senderId);
    if (known !== undefined) return known;
    const place = this.#wake(senderId) ?? this.#take(senderId, highest);
    if (place >= 0) this.#places.set(senderId, place);
    return place;
  }

  rest(senderId: number, highest: number): void {
    const known = this.#resting.get(senderId) ?? this.#places.get(senderId);
    const place = known ?? this.#take(senderId, highest);
    if (place < 0) return;
    this.words[place] = highest;
    this.#places.delete(senderId);
    this.#rest(senderId, place);
  }

  close(senderId: number): void {
    const place = this.#places.get(senderId) ?? this.#wake(senderId);
    if (place === undefined) return;
    this.#places.delete(senderId);
    this.#memory.release(place);
  }

  /** @returns A place that is kept for no sender of this connection any more */
  giveUp(): number | undefined {
    const oldest = this.#resting.takeOldest();
    if (oldest === undefined) return undefined;
    this.#memory.noteResting(this, this.resting + 1);
    return oldest.value;
  }

  #take(senderId: number, highest: number): number {
    const [mux, fingerprint] = [this.#mux, this.#fingerprint];
    return this.#memory.take({ mux, fingerprint, senderId }, highest);
  }

  #rest(senderId: number, place: number): void {
    const before = this.resting;
    this.#resting.set(senderId, place);
    this.#memory.noteResting(this, before);
  }

  #wake(senderId: number): number | undefined {
    const place = this.#resting.get(senderId);
    const before = this.resting;
    this.#resting.delete(senderId);
    this.#memory.noteResting(this, before);
    return place;
  }
}

/** Whom a record is of. */
type RecordName = Pick<AcceptedRecord, "fingerprint" | "mux" | "senderId">;

export class AcceptedMemory {
  readonly words: Uint32Array;
  readonly #full: () => void;
  readonly #free: number[] = [];
  /** Of no window at present: the ones that were last of one come last. */
  readonly #idle = new QueueMap<number, string>();
  readonly #senders = new ByAmount<KeptSenders>();
  /** The same by connection and keys: the places of numbers, by sender id. */
  readonly #kept = new Map<string, Map<number, number>>();

  /**
   * @param words Those of the whole file, which other threads have as well
   * @param share Of connections, by their mux, and of free records
   * @param full Called whenever a number has no room
   */
  constructor(
    words: Uint32Array,
    { index, of }: MuxShare = { index: 0, of: 1 },
    full: () => void = () => {},
  ) {
    if (words.length !== FILE_WORDS) {
      throw new RangeError("Cannot use the memory of accepted numbers");
    }
    this.words = words;
    this.#full = full;
    const idle: { readonly record: number; readonly seen: number }[] = [];
    for (let record = 0; record < RECORDS; record++) {
      const found = readRecord(words, record);
      if (found === undefined) {
        if (record % of === index) this.#free.push(record);
      } else if (found.mux % of === index) {
        idle.push({ record, seen: found.seen });
      }
    }
    for (const { record } of idle.sort((a, b) => a.seen - b.seen)) {
      this.#lay(record);
    }
  }

  of(mux: number, fingerprint: number): KeptSenders {
    return new KeptSenders(this, mux, fingerprint);
  }

  /** The places of numbers that were kept, which are in use from now on. */
  recall(mux: number, fingerprint: number): ReadonlyMap<number, number> {
    const name = nameOf(mux, fingerprint);
    const places = this.#kept.get(name) ?? new Map<number, number>();
    this.#kept.delete(name);
    for (const place of places.values()) this.#idle.delete(recordOf(place));
    return places;
  }

  /** @returns The place of its highest number, or -1 without room */
  take(name: RecordName, highest: number): number {
    const record = this.#free.pop() ?? this.#takeFromMost();
    if (record === undefined) {
      this.#full();
      return -1;
    }
    writeRecord(this.words, record, { ...name, highest, seen: 0, peak: 0 });
    return placeOf(record) + HIGHEST;
  }

  noteResting(senders: KeptSenders, before: number): void {
    this.#senders.move(senders, before, senders.resting);
  }

  /** It stays as long as nobody needs the room. */
  release(place: number): void {
    this.#lay(recordOf(place));
  }

  #lay(record: number): void {
    const found = readRecord(this.words, record);
    if (found === undefined) return;
    const name = nameOf(found.mux, found.fingerprint);
    const kept = this.#kept.get(name) ?? new Map<number, number>();
    kept.set(found.senderId, placeOf(record) + HIGHEST);
    this.#kept.set(name, kept);
    this.#idle.set(record, name);
  }

  /** A peer that takes all sender ids takes its own, and not those of others. */
  #takeFromMost(): number | undefined {
    const largest = this.#senders.largest();
    if (largest === undefined || largest.resting <= this.#idle.size) {
      return this.#takeOldest();
    }
    const place = largest.giveUp();
    return place === undefined ? undefined : recordOf(place);
  }

  #takeOldest(): number | undefined {
    const { key: record, value: name = "" } = this.#idle.takeOldest() ?? {};
    if (record === undefined) return undefined;
    const { senderId = -1 } = readRecord(this.words, record) ?? {};
    const kept = this.#kept.get(name);
    if (kept?.delete(senderId) && kept.size === 0) this.#kept.delete(name);
    return record;
  }
}

function recordOf(place: number): number {
  return (place - HIGHEST - placeOf(0)) / (placeOf(1) - placeOf(0));
}

function nameOf(mux: number, fingerprint: number): string {
  return `${mux} ${fingerprint}`;
}
