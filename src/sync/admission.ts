/**
 * Who has a place where anybody may ask for one and there are not enough:
 * places are shared between those who ask, whoever asks most often.
 *
 * @module
 */
import type { Origin } from "./origin.ts";

/** How places are shared. */
interface AdmissionOptions {
  /** Places for anybody, and as many again for members. */
  readonly places: number;
  /** Whether a source is one of those with places of their own. */
  readonly isMember: (source: string) => boolean;
  /** Which one of the busiest source has to go. */
  readonly gives: "oldest" | "newest";
  /**
   * How long a place is kept from those whose source is no busier, in ms of a
   * clock that never goes back. Without it: until it is left.
   */
  readonly turn?: { readonly ms: number; readonly now: () => number };
}

/** What came of asking for a place. */
export interface Entry<T> {
  readonly isIn: boolean;
  /** Who had to go; has no place any more. */
  readonly out?: T;
}

/**
 * Shares places by network, and then by source. Whoever asks gets a free one,
 * or one of the busiest source as long as that has more than the own one: a
 * flood takes from itself, and an attacker who wants to take from others needs
 * as many networks as there are places. Members do not even compete with that.
 */
export class Admission<T> {
  readonly #isMember: (source: string) => boolean;
  readonly #anybody: Room<T>;
  readonly #members: Room<T>;

  constructor(options: AdmissionOptions) {
    this.#isMember = options.isMember;
    this.#anybody = new Room(options);
    this.#members = new Room(options);
  }

  /** Asks for a place. */
  enter(who: T, from: Origin): Entry<T> {
    return this.#roomOf(from).enter(who, from);
  }

  /** Gives the place back, if there is one. */
  leave(who: T): void {
    this.#anybody.leave(who);
    this.#members.leave(who);
  }

  /** Places that are taken. */
  get size(): number {
    return this.#anybody.size + this.#members.size;
  }

  /** Whether half of the places are taken that there are for such a one. */
  isCrowded(from: Origin): boolean {
    return this.#roomOf(from).isCrowded;
  }

  /** Who is to ask first: the least busy member, and the least busy other. */
  first<A extends Origin>(asking: Iterable<A>): A[] {
    const found = new Map<
      Room<T>,
      { readonly one: A; readonly load: number }
    >();
    for (const one of asking) {
      const room = this.#roomOf(one);
      const load = room.load(one);
      if (load < (found.get(room)?.load ?? Infinity)) {
        found.set(room, { one, load });
      }
    }
    return [...found.values()].map(({ one }) => one);
  }

  /** Those with a place, the one that came first first. */
  *[Symbol.iterator](): Generator<T> {
    yield* this.#members;
    yield* this.#anybody;
  }

  #roomOf({ source }: Origin): Room<T> {
    return this.#isMember(source) ? this.#members : this.#anybody;
  }
}

interface Guest<T> {
  readonly who: T;
  readonly from: Origin;
  /** When it came, in ms. */
  readonly since: number;
}

/** Places that are not shared with another room. */
class Room<T> {
  readonly #options: AdmissionOptions;
  /** In the order in which they came. */
  readonly #guests = new Map<T, Guest<T>>();
  /** Places by source and by network. */
  readonly #counts = new Map<string, number>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#guests.size;
  }

  get isCrowded(): boolean {
    return 2 * this.size >= this.#options.places;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#guests.keys();
  }

  enter(who: T, from: Origin): Entry<T> {
    if (this.size < this.#options.places) {
      this.#add(who, from);
      return { isIn: true };
    }
    const out = this.#whoGivesWayTo(from);
    if (out === undefined) return { isIn: false };
    this.leave(out.who);
    this.#add(who, from);
    return { isIn: true, out: out.who };
  }

  leave(who: T): void {
    const guest = this.#guests.get(who);
    if (guest === undefined) return;
    this.#guests.delete(who);
    this.#count(guest.from, -1);
  }

  /** How busy somebody is, for comparison: the network counts before all. */
  load({ source, network }: Origin): number {
    return this.#taken(network) * (this.#options.places + 1) +
      this.#taken(source);
  }

  #add(who: T, from: Origin): void {
    const since = this.#options.turn?.now() ?? 0;
    this.#guests.set(who, { who, from, since });
    this.#count(from, 1);
  }

  #whoGivesWayTo(from: Origin): Guest<T> | undefined {
    const busiest = this.#busiest(() => true);
    if (busiest === undefined) return undefined;
    if (this.#isBusier(busiest.from, from)) return busiest;
    const near = this.#busiest(({ network }) => network === from.network);
    if (near !== undefined && this.#isBusier(near.from, from)) return near;
    const { turn } = this.#options;
    const isOver = turn !== undefined &&
      turn.now() - busiest.since >= turn.ms;
    return isOver ? busiest : undefined;
  }

  #busiest(isMeant: (from: Origin) => boolean): Guest<T> | undefined {
    const isLast = this.#options.gives === "newest";
    let found: Guest<T> | undefined;
    let most = 0;
    for (const guest of this.#guests.values()) {
      if (!isMeant(guest.from)) continue;
      const load = this.load(guest.from);
      if (load > most || isLast && load === most) {
        found = guest;
        most = load;
      }
    }
    return found;
  }

  /** Whether one would still have as much as the other if it gave one up. */
  #isBusier(one: Origin, other: Origin): boolean {
    const by = one.network === other.network ? "source" : "network";
    return this.#taken(one[by]) > this.#taken(other[by]) + 1;
  }

  #taken(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #count({ source, network }: Origin, change: 1 | -1): void {
    // Where there is no wider network than the source, the keys are the same.
    for (const key of new Set([source, network])) {
      const count = this.#taken(key) + change;
      if (count === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
    }
  }
}
