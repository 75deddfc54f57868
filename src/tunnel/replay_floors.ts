// Numbers that other members of the cluster have accepted, in memory that the
// threads share: what one member took is not to be new at another one.
//
// The main thread writes. A thread that receives looks a sender up when it first
// hears it, and once a round whether any have risen: it is nothing for each
// datagram.
import type { NumberFloors } from "../satp/replay_window.ts";
import type { MuxShare } from "../state/accepted_memory.ts";
import type { HighestAccepted } from "../state/accepted_watch.ts";
import { DueMuxes } from "./mux_sets.ts";

/**
 * Faster no sender counts: a link of 10 Gbit/s carries 14.9 million of the
 * smallest packets.
 */
const MOST_PER_SECOND = 2 ** 24;

// Sets of so many places each: where one is full an entry gives way.
const SETS = 1 << 13;
const WAYS = 16;

// Places in an entry, in words.
const ID = 0; // mux and sender id
const PRINT = 1;
const STATE = 2;
const FLOOR = 3;
/** The highest that is known of it, its own included, and since when. */
const KNOWN = 4;
const SEEN = 5;
const ENTRY_WORDS = 6;

const FREE = 0;
/** Heard here alone. */
const OWN = 1;
const HAS_FLOOR = 2;

/** Behind the muxes whose floors have risen. */
const ENTRIES = DueMuxes.WORDS;

/** What became of a floor that was told. */
type FloorOutcome = "risen" | "known" | "too far ahead" | "no room";

export class ReplayFloors {
  readonly #words: Uint32Array;
  readonly #due: DueMuxes;
  /** How many entries each mux has, for the one thread that writes. */
  readonly #counts = new Map<number, number>();

  static allocate(): SharedArrayBuffer {
    const entries = SETS * WAYS * ENTRY_WORDS;
    return new SharedArrayBuffer((ENTRIES + entries) * 4);
  }

  constructor(shared: SharedArrayBuffer = ReplayFloors.allocate()) {
    this.#words = new Uint32Array(shared);
    this.#due = new DueMuxes(shared, 0);
  }

  /** For other threads. */
  get shared(): SharedArrayBuffer {
    return this.#words.buffer as SharedArrayBuffer;
  }

  /** Moves whenever floors have risen; see {@link take}. */
  get turn(): number {
    return this.#due.turn;
  }

  /** Takes a mux whose floors have risen; see {@link DueMuxes.take}. */
  take(from: number, { of, index }: MuxShare): number {
    return this.#due.take(from, of, index);
  }

  /** Those of one connection and its keys. */
  of(mux: number, fingerprint: number): NumberFloors {
    const print = fingerprint % 2 ** 32 >>> 0;
    return { of: (senderId) => this.#floor(mux, print, senderId) };
  }

  /**
   * What another member has accepted. A floor never falls.
   *
   * @param now Seconds of a clock that never goes back
   */
  raise(entry: HighestAccepted, now: number): FloorOutcome {
    const at = this.#find(entry) ?? this.#make(entry);
    if (at === undefined) return "no room";
    const words = this.#words;
    const isNew = words[at + STATE] === FREE;
    const ahead = (entry.highest - (words[at + KNOWN] ?? 0)) | 0;
    // Who is not known may have come far already.
    const most = MOST_PER_SECOND * (1 + now - (words[at + SEEN] ?? 0));
    if (!isNew && ahead > most) return "too far ahead";
    if (isNew || ahead > 0) this.#note(at, entry.highest, now);
    const hasFloor = words[at + STATE] === HAS_FLOOR;
    const step = (entry.highest - (words[at + FLOOR] ?? 0)) | 0;
    if (hasFloor && step <= 0) return "known";
    Atomics.store(words, at + FLOOR, entry.highest);
    Atomics.store(words, at + STATE, HAS_FLOOR);
    return "risen";
  }

  /** What was accepted here: nothing that others say is far ahead of it. */
  noteOwn(entry: HighestAccepted, now: number): void {
    const at = this.#find(entry) ?? this.#make(entry);
    if (at === undefined) return;
    const words = this.#words;
    const isNew = words[at + STATE] === FREE;
    const isAhead = ((entry.highest - (words[at + KNOWN] ?? 0)) | 0) > 0;
    if (isNew || isAhead) this.#note(at, entry.highest, now);
    if (isNew) Atomics.store(words, at + STATE, OWN);
  }

  /** All floors, for a member that knows none. */
  list(): HighestAccepted[] {
    const words = this.#words;
    const floors: HighestAccepted[] = [];
    for (let at = ENTRIES; at < words.length; at += ENTRY_WORDS) {
      if (words[at + STATE] !== HAS_FLOOR) continue;
      const id = words[at + ID] ?? 0;
      floors.push({
        mux: muxOf(id),
        print: words[at + PRINT] ?? 0,
        senderId: id & 0xffff,
        highest: words[at + FLOOR] ?? 0,
      });
    }
    return floors;
  }

  /** Has the threads look at the floors of these. */
  spread(muxes: readonly number[]): void {
    this.#due.add(muxes);
  }

  #note(at: number, highest: number, now: number): void {
    this.#words[at + KNOWN] = highest;
    this.#words[at + SEEN] = now;
  }

  // The place may go to another sender meanwhile.
  #floor(mux: number, print: number, senderId: number): number | undefined {
    const words = this.#words;
    const id = idOf(mux, senderId);
    const from = placeOf(id, print);
    for (let at = from; at < from + WAYS * ENTRY_WORDS; at += ENTRY_WORDS) {
      if (words[at + ID] !== id || words[at + PRINT] !== print) continue;
      if (Atomics.load(words, at + STATE) !== HAS_FLOOR) continue;
      const floor = Atomics.load(words, at + FLOOR);
      const isStill = Atomics.load(words, at + ID) === id &&
        Atomics.load(words, at + PRINT) === print &&
        Atomics.load(words, at + STATE) === HAS_FLOOR;
      if (isStill) return floor;
    }
    return undefined;
  }

  #find({ mux, print, senderId }: HighestAccepted): number | undefined {
    const words = this.#words;
    const id = idOf(mux, senderId);
    const from = placeOf(id, print);
    for (let at = from; at < from + WAYS * ENTRY_WORDS; at += ENTRY_WORDS) {
      const isIt = words[at + ID] === id && words[at + PRINT] === print;
      if (isIt && words[at + STATE] !== FREE) return at;
    }
    return undefined;
  }

  /** @returns The place of an entry that has its name, and is free yet */
  #make({ mux, print, senderId }: HighestAccepted): number | undefined {
    const words = this.#words;
    const id = idOf(mux, senderId);
    const at = this.#makeRoom(placeOf(id, print), mux);
    if (at === undefined) return undefined;
    Atomics.store(words, at + STATE, FREE);
    Atomics.store(words, at + ID, id);
    Atomics.store(words, at + PRINT, print);
    this.#counts.set(mux, (this.#counts.get(mux) ?? 0) + 1);
    return at;
  }

  /**
   * The connection that has most gives way, and of its senders the one that was
   * heard the longest ago: who tells of all sender ids of a connection has none
   * of another one forgotten.
   */
  #makeRoom(from: number, mux: number): number | undefined {
    const words = this.#words;
    let [room, most, oldest] = [-1, this.#counts.get(mux) ?? 0, Infinity];
    for (let at = from; at < from + WAYS * ENTRY_WORDS; at += ENTRY_WORDS) {
      if (words[at + STATE] === FREE) return at;
      const count = this.#counts.get(muxOf(words[at + ID])) ?? 0;
      const seen = words[at + SEEN] ?? 0;
      if (count < most || (count === most && seen >= oldest)) continue;
      [room, most, oldest] = [at, count, seen];
    }
    if (room < 0) return undefined;
    const other = muxOf(words[room + ID]);
    const left = (this.#counts.get(other) ?? 1) - 1;
    if (left > 0) this.#counts.set(other, left);
    else this.#counts.delete(other);
    return room;
  }
}

function idOf(mux: number, senderId: number): number {
  return ((mux << 16) | senderId) >>> 0;
}

function muxOf(id = 0): number {
  return id >>> 16;
}

/** Where the set of this one begins. */
function placeOf(id: number, print: number): number {
  let mixed = Math.imul(id ^ print, 0x9e3779b1);
  mixed = Math.imul(mixed ^ mixed >>> 15, 0x85ebca6b);
  mixed = Math.imul(mixed ^ id >>> 13, 0xc2b2ae35);
  return ENTRIES + ((mixed ^ mixed >>> 16) & (SETS - 1)) * WAYS * ENTRY_WORDS;
}
