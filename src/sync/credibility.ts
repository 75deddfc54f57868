// Credibility of what other members state: nobody is believed for all times, nor
// an instance that something else has taken the place of
// (docs/sync-extension.md, "Who is right").
import type { Stamp } from "./extension.ts";

/** A clock that is further ahead than this is not believed, in ms. */
const MAX_AHEAD_MS = 5 * 60_000;
/** Origins that others have taken the place of. */
const MAX_SUPERSEDED = 256;

/** A stamp as it counts here, and is passed on. */
export interface BelievedStamp extends Stamp {
  /** The version that counts where nothing has taken the place of the origin. */
  readonly told: number;
}

interface Superseded {
  /** What it has stated counts as no later than this. */
  readonly most: number;
  /** Nothing later is heard of one that has ended. */
  readonly newest: number;
}

export class Credibility {
  readonly #now: () => number;
  readonly #superseded = new Map<string, Superseded>();

  /** @param now Milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  believe(stamp: Stamp): BelievedStamp {
    const { version, origin } = stamp;
    const told = this.isAhead(stamp) ? Math.floor(this.#now()) : version;
    const most = this.#superseded.get(origin)?.most ?? Infinity;
    return { version: Math.min(told, most), origin, told };
  }

  /** Whether one of both clocks is wrong. */
  isAhead({ version }: Stamp): boolean {
    return version > Math.floor(this.#now()) + MAX_AHEAD_MS;
  }

  /** Whether an origin that counted as ended has stated something since. */
  isAlive({ version, origin }: Stamp): boolean {
    const superseded = this.#superseded.get(origin);
    return superseded !== undefined && version > superseded.newest;
  }

  /** @param heard The greatest version that it has told */
  supersede(origin: string, most: number, heard: number): void {
    const newest = Math.max(Math.floor(this.#now()), heard);
    this.#superseded.delete(origin);
    this.#superseded.set(origin, { most, newest });
    const [first] = this.#superseded.keys();
    if (this.#superseded.size > MAX_SUPERSEDED && first !== undefined) {
      this.#superseded.delete(first);
    }
  }

  /** @returns Whether it counted as ended */
  revive(origin: string): boolean {
    return this.#superseded.delete(origin);
  }
}

/** One of them is, for all members alike. */
export function isLater(a: BelievedStamp, b: BelievedStamp): boolean {
  if (a.version !== b.version) return a.version > b.version;
  if (a.origin !== b.origin) return a.origin > b.origin;
  // Of one origin that something has taken the place of.
  return a.told > b.told;
}
