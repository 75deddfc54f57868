// Keys in the records of connections: of each the set that seals, and those
// that are for opening only. All of them open, so that keys change without a
// lost datagram: the new ones are there before, and the old ones go after.
//
// Whoever reads or changes them holds the record's lock, unless it says
// otherwise. The name of a set is a number that no other of its connection ever
// has: who knows a name asks for these keys, and never gets others.
import { copyOfKey } from "../satp/secrets.ts";
import type { SpaceKeys } from "./number_spaces.ts";

/** How many a connection has at most, the one that seals among them. */
const KEY_SETS = 4;

// Places within a record, in words, and in 64 bit words where it says so.
const LAST_NAME = 12;
const SEALING = 13;
const OPENED_64 = 8;
const FINGERPRINT_64 = 12;
const RANKS = 66;
const KEYS = 72;
const NAMES = 120;

// A set: key, salt, and in the two bytes behind it the length and the role.
const SET_WORDS = 12;
const KEY_MAX_BYTES = 32;
const SALT_AT = 32;
const SALT_BYTES = 14;
const LENGTH_AT = 46;
const ROLE_AT = 47;

export interface HeldKeys extends SpaceKeys {
  readonly name: number;
  /** A hash of them: those that come back have the same one. */
  readonly fingerprint: number;
  /** Higher than that of all keys whose turn came before. */
  readonly rank: number;
}

/**
 * When keys have their turn: after all others, or before those that seal, so that
 * they are for what is late.
 */
export type KeyTurn = "after" | "before";

export class KeySets {
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #doubles: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Uint32Array(shared);
    this.#bytes = new Uint8Array(shared);
    this.#doubles = new Float64Array(shared);
  }

  /** Whether keys of this name are in use; needs no lock. */
  holds(record: number, name: number): boolean {
    return this.#find(record, name) !== -1;
  }

  /** Name of the keys that seal, 0 without any. */
  sealing(record: number): number {
    return this.#nameAt(record, this.#words[record + SEALING] ?? 0);
  }

  names(record: number): number[] {
    return PLACES.map((place) => this.#nameAt(record, place))
      .filter((name) => name !== 0);
  }

  /** Copies; of a name that is not in use they are empty. */
  read(record: number, name: number): HeldKeys {
    const place = this.#find(record, name);
    return place === -1 ? NONE : this.#read(record, place);
  }

  /**
   * Takes keys in, for opening. Where there is no room the set of the lowest
   * rank goes, but never the one that seals.
   *
   * @returns Their name, which they may have had already
   */
  add(record: number, keys: SpaceKeys, turn: KeyTurn = "after"): number {
    const known = PLACES.find((place) => this.#isAt(record, place, keys));
    if (known !== undefined) return this.#nameAt(record, known);
    const place = this.#makeRoom(record);
    const rank = turn === "after"
      ? this.#nextRank(record)
      : this.#rankBefore(record, this.#words[record + SEALING] ?? 0);
    this.#write(record, place, keys);
    this.#words[record + RANKS + place] = rank;
    const name = (this.#words[record + LAST_NAME] ?? 0) + 1;
    this.#words[record + LAST_NAME] = name;
    Atomics.store(this.#words, record + NAMES + place, name);
    return name;
  }

  setFingerprint(record: number, name: number, fingerprint: number): void {
    const place = this.#find(record, name);
    if (place === -1) return;
    this.#doubles[record / 2 + FINGERPRINT_64 + place] = fingerprint;
  }

  /** Keys that were replaced, and are back, have their turn again. */
  seal(record: number, name: number): void {
    const place = this.#find(record, name);
    if (place === -1) return;
    const before = this.#rankAt(record, this.#words[record + SEALING] ?? 0);
    if (this.#rankAt(record, place) < before) {
      this.#words[record + RANKS + place] = this.#nextRank(record);
    }
    this.#words[record + SEALING] = place;
  }

  /** @returns false if there are none of this name, or they seal */
  drop(record: number, name: number): boolean {
    const place = this.#find(record, name);
    if (place === -1 || name === this.sealing(record)) return false;
    this.#wipe(record, place);
    return true;
  }

  /** @returns Whether there were others */
  dropAllButSealing(record: number): boolean {
    const sealing = this.#words[record + SEALING];
    const others = PLACES.filter((place) =>
      place !== sealing && this.#nameAt(record, place) !== 0
    );
    for (const place of others) this.#wipe(record, place);
    return others.length > 0;
  }

  dropAll(record: number): void {
    for (const place of PLACES) this.#wipe(record, place);
    this.#words[record + SEALING] = 0;
  }

  /** When something was last opened with them, 0 for never; needs no lock. */
  opened(record: number, name: number): number {
    const place = this.#find(record, name);
    if (place === -1) return 0;
    return this.#doubles[record / 2 + OPENED_64 + place] ?? 0;
  }

  noteOpened(record: number, name: number, now: number): void {
    const place = this.#find(record, name);
    if (place !== -1) this.#doubles[record / 2 + OPENED_64 + place] = now;
  }

  #nameAt(record: number, place: number): number {
    return Atomics.load(this.#words, record + NAMES + place);
  }

  #rankAt(record: number, place: number): number {
    return this.#words[record + RANKS + place] ?? 0;
  }

  /** Leaves room below for all others. */
  #nextRank(record: number): number {
    return KEY_SETS + Math.max(...this.#ranks(record));
  }

  #rankBefore(record: number, place: number): number {
    const taken = this.#ranks(record);
    let rank = this.#rankAt(record, place) - 1;
    while (taken.includes(rank)) rank--;
    return rank;
  }

  #ranks(record: number): number[] {
    return PLACES.map((place) => this.#rankAt(record, place));
  }

  #find(record: number, name: number): number {
    if (name === 0) return -1;
    for (let place = 0; place < KEY_SETS; place++) {
      if (this.#nameAt(record, place) === name) return place;
    }
    return -1;
  }

  #makeRoom(record: number): number {
    const sealing = this.#words[record + SEALING];
    const hasSealing = this.sealing(record) !== 0;
    let room = -1;
    for (const place of PLACES) {
      if (hasSealing && place === sealing) continue;
      const isOlder = room === -1 ||
        this.#rankAt(record, place) < this.#rankAt(record, room);
      if (isOlder) room = place;
    }
    this.#wipe(record, room);
    return room;
  }

  #isAt(record: number, place: number, keys: SpaceKeys): boolean {
    if (this.#nameAt(record, place) === 0) return false;
    const { key, salt } = keys.secrets;
    const at = bytesAt(record, place);
    const bytes = this.#bytes;
    return bytes[at + LENGTH_AT] === key.length &&
      bytes[at + ROLE_AT] === roleByte(keys) &&
      key.every((byte, k) => bytes[at + k] === byte) &&
      salt.every((byte, k) => bytes[at + SALT_AT + k] === byte);
  }

  #write(record: number, place: number, keys: SpaceKeys): void {
    const { key, salt } = keys.secrets;
    const at = bytesAt(record, place);
    this.#bytes.set(key, at);
    this.#bytes.set(salt, at + SALT_AT);
    this.#bytes[at + LENGTH_AT] = key.length;
    this.#bytes[at + ROLE_AT] = roleByte(keys);
  }

  #read(record: number, place: number): HeldKeys {
    const at = bytesAt(record, place);
    const bytes = this.#bytes;
    const keyBytes = Math.min(bytes[at + LENGTH_AT] ?? 0, KEY_MAX_BYTES);
    const saltAt = at + SALT_AT;
    const saltEnd = saltAt + (keyBytes === 0 ? 0 : SALT_BYTES);
    return {
      name: this.#nameAt(record, place),
      fingerprint: this.#doubles[record / 2 + FINGERPRINT_64 + place] ?? 0,
      rank: this.#rankAt(record, place),
      role: bytes[at + ROLE_AT] === 0 ? "left" : "right",
      secrets: {
        key: copyOfKey(bytes.subarray(at, at + keyBytes)),
        salt: copyOfKey(bytes.subarray(saltAt, saltEnd)),
      },
    };
  }

  #wipe(record: number, place: number): void {
    Atomics.store(this.#words, record + NAMES + place, 0);
    this.#words[record + RANKS + place] = 0;
    const at = bytesAt(record, place);
    this.#bytes.fill(0, at, at + SET_WORDS * 4);
    this.#doubles[record / 2 + OPENED_64 + place] = 0;
    this.#doubles[record / 2 + FINGERPRINT_64 + place] = 0;
  }
}

const NONE: HeldKeys = {
  name: 0,
  fingerprint: 0,
  rank: 0,
  role: "left",
  secrets: { key: new Uint8Array(0), salt: new Uint8Array(0) },
};

const PLACES: readonly number[] = Array.from({ length: KEY_SETS }, (_, k) => k);

function bytesAt(record: number, place: number): number {
  return (record + KEYS + place * SET_WORDS) * 4;
}

function roleByte({ role }: SpaceKeys): 0 | 1 {
  return role === "left" ? 0 : 1;
}
