// Routes of a daemon, from options and from sync.
import { compareNumbers, disjointRanges, type NumberPrefix } from "./ranges.ts";
import { networkNumber, type Route } from "./route.ts";
import { MAX_PREFIXES, type RouteTable } from "./table.ts";

type Family = Route["network"]["family"];

interface NumberedRoute extends NumberPrefix {
  readonly route: Route;
}

/** Host bits and lengths are kept: that is how they are passed on. */
export class Routes {
  readonly #families: Readonly<Record<Family, Map<string, NumberedRoute>>> = {
    4: new Map(),
    6: new Map(),
    ethernet: new Map(),
  };
  #changed = false;

  /** @returns false if there are {@linkcode MAX_PREFIXES} of its family */
  put(route: Route): boolean {
    const { network, prefixLength: length, mux } = route;
    const number = networkNumber(network);
    const key = keyOf(number, length);
    const family = this.#families[network.family];
    const known = family.get(key);
    if (known === undefined && family.size >= MAX_PREFIXES) return false;
    // By arrival: of prefixes that differ only behind their length the last counts.
    family.delete(key);
    family.set(key, { route, number, length, mux });
    this.#changed = true;
    return true;
  }

  /**
   * One that differs only behind the length, and came before, counts again.
   * @param mux Removes it only if it leads there
   */
  remove(
    { network, prefixLength }: Pick<Route, "network" | "prefixLength">,
    mux?: number,
  ): boolean {
    const key = keyOf(networkNumber(network), prefixLength);
    const family = this.#families[network.family];
    if (mux !== undefined && family.get(key)?.mux !== mux) return false;
    const known = family.delete(key);
    this.#changed ||= known;
    return known;
  }

  /** The cost grows with all routes: a burst of changes should come first. */
  publish(table: RouteTable): void {
    if (!this.#changed) return;
    this.#changed = false;
    table.publish(
      disjointRanges(32, this.#families[4].values()),
      disjointRanges(128, this.#families[6].values()),
    );
  }

  /** By family, length and address, as they are passed on (sync section 1). */
  list(): Route[] {
    const { 4: ipv4, 6: ipv6, ethernet } = this.#families;
    return [ipv4, ipv6, ethernet].flatMap((family) =>
      [...family.values()].sort(byLengthAndNumber).map(({ route }) => route)
    );
  }
}

function keyOf(number: bigint, length: number): string {
  return `${number}/${length}`;
}

function byLengthAndNumber(a: NumberPrefix, b: NumberPrefix): number {
  return a.length - b.length || compareNumbers(a.number, b.number);
}
