// Admission under load: a bounded number of places, shared fairly by source.
import type { Origin } from "./origin.ts";

interface AdmissionOptions {
  /** Places for anybody, and as many again for members. */
  readonly places: number;
  /** Whether a source is one of those with places of their own. */
  readonly isMember: (source: string) => boolean;
  /** Which one of the busiest source is evicted. */
  readonly evicts: "oldest" | "newest";
  /**
   * How long nobody is evicted for a source that is no less busy, in ms of a
   * monotonic clock. Without it: for ever.
   */
  readonly turn?: { readonly ms: number; readonly now: () => number };
}

export interface AdmissionResult<T> {
  readonly isAdmitted: boolean;
  readonly evicted?: T;
}

/**
 * Shares places by network, and then by source. A newcomer gets a free one, or
 * one of the busiest source as long as that has more than its own: a flood
 * takes from itself, and an attacker who wants to take from others needs as
 * many networks as there are places. Members have places of their own.
 */
export class Admission<T> {
  readonly #isMember: (source: string) => boolean;
  readonly #anybody: Pool<T>;
  readonly #members: Pool<T>;

  constructor(options: AdmissionOptions) {
    this.#isMember = options.isMember;
    this.#anybody = new Pool(options);
    this.#members = new Pool(options);
  }

  enter(who: T, from: Origin): AdmissionResult<T> {
    return this.#poolOf(from).enter(who, from);
  }

  leave(who: T): void {
    this.#anybody.leave(who);
    this.#members.leave(who);
  }

  get size(): number {
    return this.#anybody.size + this.#members.size;
  }

  /** Whether half of the places are taken that an origin may have. */
  isCrowded(from: Origin): boolean {
    return this.#poolOf(from).isCrowded;
  }

  /** Whose turn it is: the least busy member, and the least busy other. */
  first<A extends Origin>(asking: Iterable<A>): A[] {
    const found = new Map<
      Pool<T>,
      { readonly one: A; readonly load: number }
    >();
    for (const one of asking) {
      const pool = this.#poolOf(one);
      const load = pool.load(one);
      if (load < (found.get(pool)?.load ?? Infinity)) {
        found.set(pool, { one, load });
      }
    }
    return [...found.values()].map(({ one }) => one);
  }

  /** In order of arrival. */
  *[Symbol.iterator](): Generator<T> {
    yield* this.#members;
    yield* this.#anybody;
  }

  #poolOf({ source }: Origin): Pool<T> {
    return this.#isMember(source) ? this.#members : this.#anybody;
  }
}

interface Holder<T> {
  readonly who: T;
  readonly from: Origin;
  /** In ms. */
  readonly since: number;
}

class Pool<T> {
  readonly #options: AdmissionOptions;
  /** In order of arrival. */
  readonly #holders = new Map<T, Holder<T>>();
  /** Places taken by source and by network. */
  readonly #counts = new Map<string, number>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#holders.size;
  }

  get isCrowded(): boolean {
    return 2 * this.size >= this.#options.places;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#holders.keys();
  }

  enter(who: T, from: Origin): AdmissionResult<T> {
    if (this.size < this.#options.places) {
      this.#add(who, from);
      return { isAdmitted: true };
    }
    const victim = this.#victimFor(from);
    if (victim === undefined) return { isAdmitted: false };
    this.leave(victim.who);
    this.#add(who, from);
    return { isAdmitted: true, evicted: victim.who };
  }

  leave(who: T): void {
    const holder = this.#holders.get(who);
    if (holder === undefined) return;
    this.#holders.delete(who);
    this.#count(holder.from, -1);
  }

  /** How busy an origin is, for comparison: the network counts first. */
  load({ source, network }: Origin): number {
    return this.#taken(network) * (this.#options.places + 1) +
      this.#taken(source);
  }

  #add(who: T, from: Origin): void {
    const since = this.#options.turn?.now() ?? 0;
    this.#holders.set(who, { who, from, since });
    this.#count(from, 1);
  }

  #victimFor(from: Origin): Holder<T> | undefined {
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

  #busiest(isMeant: (from: Origin) => boolean): Holder<T> | undefined {
    const isLast = this.#options.evicts === "newest";
    let found: Holder<T> | undefined;
    let most = 0;
    for (const holder of this.#holders.values()) {
      if (!isMeant(holder.from)) continue;
      const load = this.load(holder.from);
      if (load > most || isLast && load === most) {
        found = holder;
        most = load;
      }
    }
    return found;
  }

  /** Whether one would still have as many as the other after losing one. */
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
