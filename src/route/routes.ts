// Routes of a daemon, from options and from sync.
import { AddressRanges } from "./ranges.ts";
import type { EthernetNetwork, IpNetwork, Route } from "./route.ts";
import { Sorted } from "./sorted.ts";
import { MAX_PREFIXES, type RouteTable } from "./table.ts";

/** Host bits and lengths are kept: that is how they are passed on. */
export class Routes {
  readonly #ipv4 = new IpRoutes(32);
  readonly #ipv6 = new IpRoutes(128);
  readonly #ethernet = new Map<string, Route>();
  readonly #sortedEthernet = new Sorted(
    () => this.#ethernet.values(),
    byLengthAndValue,
  );
  #changed = false;

  /** @returns false if there are {@linkcode MAX_PREFIXES} of its family */
  put(route: Route): boolean {
    const { network } = route;
    const isThere = network.family === "ethernet"
      ? this.#putEthernet(network, route)
      : this.#of(network).put(network, route);
    if (isThere) this.#changed = true;
    return isThere;
  }

  /** Whether it could be put: there is room, or it is there already. */
  hasRoom({ network, prefixLength }: Route): boolean {
    if (network.family !== "ethernet") {
      return this.#of(network).hasRoom(network, prefixLength);
    }
    return this.#ethernet.size < MAX_PREFIXES ||
      this.#ethernet.has(ethernetKey(network, prefixLength));
  }

  /**
   * One that differs only behind the length, and came before, counts again.
   * @param mux Removes it only if it leads there
   */
  remove(
    { network, prefixLength }: Pick<Route, "network" | "prefixLength">,
    mux?: number,
  ): boolean {
    const isGone = network.family === "ethernet"
      ? this.#removeEthernet(network, prefixLength, mux)
      : this.#of(network).remove(network, prefixLength, mux);
    if (isGone) this.#changed = true;
    return isGone;
  }

  /** Of those that differ only behind the length the one that counts. */
  to({ network, prefixLength }: Pick<Route, "network" | "prefixLength">):
    | Route
    | undefined {
    return network.family === "ethernet"
      ? this.#ethernet.get(ethernetKey(network, prefixLength))
      : this.#of(network).to(network, prefixLength);
  }

  /** The cost grows with what has changed, but for a word for each 256 ranges. */
  publish(table: RouteTable): void {
    if (!this.#changed) return;
    this.#changed = false;
    table.publish(this.#ipv4.ranges, this.#ipv6.ranges);
  }

  /** By family, length and address, as they are passed on (sync section 1). */
  list(): Route[] {
    return [
      ...this.#ipv4.sorted.list(),
      ...this.#ipv6.sorted.list(),
      ...this.#sortedEthernet.list(),
    ];
  }

  #of({ family }: IpNetwork): IpRoutes {
    return family === 4 ? this.#ipv4 : this.#ipv6;
  }

  #putEthernet(network: EthernetNetwork, route: Route): boolean {
    const key = ethernetKey(network, route.prefixLength);
    const routes = this.#ethernet;
    const before = routes.get(key);
    if (before === undefined && routes.size >= MAX_PREFIXES) return false;
    if (before !== undefined) this.#sortedEthernet.delete(before);
    this.#sortedEthernet.add(route);
    routes.set(key, route);
    return true;
  }

  #removeEthernet(
    network: EthernetNetwork,
    prefixLength: number,
    mux?: number,
  ): boolean {
    const key = ethernetKey(network, prefixLength);
    const before = this.#ethernet.get(key);
    if (before === undefined) return false;
    if (mux !== undefined && before.mux !== mux) return false;
    this.#sortedEthernet.delete(before);
    return this.#ethernet.delete(key);
  }
}

/** One route, or several that differ only behind their length, as they came. */
type Prefix = Route | readonly Route[];

/** Those of one family. */
class IpRoutes {
  readonly ranges: AddressRanges;
  readonly sorted = new Sorted<Route>(
    () => this.#prefixes.values().flatMap(allOf),
    byLengthAndBytes,
  );
  readonly #bits: number;
  /** By what counts of network and length. */
  readonly #prefixes = new Map<string, Prefix>();
  /** How many prefixes there are of each length. */
  readonly #ofLength: Uint32Array;
  #size = 0;

  constructor(bits: 32 | 128) {
    this.ranges = new AddressRanges(bits / 32);
    this.#bits = bits;
    this.#ofLength = new Uint32Array(bits + 1);
  }

  hasRoom(network: IpNetwork, prefixLength: number): boolean {
    if (this.#size < MAX_PREFIXES) return true;
    const length = Math.min(prefixLength, this.#bits);
    return allOf(this.#prefixes.get(keyOf(network.bytes, length)))
      .some((one) => isSame(one, { network, prefixLength }));
  }

  to({ bytes }: IpNetwork, prefixLength: number): Route | undefined {
    const length = Math.min(prefixLength, this.#bits);
    return allOf(this.#prefixes.get(keyOf(bytes, length))).at(-1);
  }

  put({ bytes }: IpNetwork, route: Route): boolean {
    const length = Math.min(route.prefixLength, this.#bits);
    const key = keyOf(bytes, length);
    const before = this.#prefixes.get(key);
    const replaced = allOf(before).find((one) => isSame(one, route));
    const others = allOf(before).filter((one) => one !== replaced);
    if (replaced === undefined && this.#size >= MAX_PREFIXES) return false;
    if (replaced === undefined) this.#size++;
    else this.sorted.delete(replaced);
    this.sorted.add(route);
    if (before === undefined) this.#count(length, 1);
    // Of several the last counts.
    this.#prefixes.set(key, others.length === 0 ? route : [...others, route]);
    if (muxOf(before) !== route.mux) this.ranges.put(bytes, length, route.mux);
    return true;
  }

  remove({ bytes }: IpNetwork, prefixLength: number, mux?: number): boolean {
    const length = Math.min(prefixLength, this.#bits);
    const key = keyOf(bytes, length);
    const before = this.#prefixes.get(key);
    const gone = allOf(before).find((one) =>
      isSame(one, { network: { bytes }, prefixLength })
    );
    if (gone === undefined || mux !== undefined && gone.mux !== mux) {
      return false;
    }
    this.#size--;
    this.sorted.delete(gone);
    const others = allOf(before).filter((one) => one !== gone);
    const [first, second] = others;
    if (first === undefined) this.#removePrefix(key, bytes, length);
    else {
      this.#prefixes.set(key, second === undefined ? first : others);
      const now = muxOf(others) ?? first.mux;
      if (now !== muxOf(before)) this.ranges.put(bytes, length, now);
    }
    return true;
  }

  #removePrefix(key: string, bytes: Uint8Array, length: number): void {
    this.#prefixes.delete(key);
    this.#count(length, -1);
    this.ranges.remove(bytes, length, this.#outer(bytes, length));
  }

  #outer(bytes: Uint8Array, length: number) {
    for (let outer = length - 1; outer >= 0; outer--) {
      if (this.#ofLength[outer] === 0) continue;
      const mux = muxOf(this.#prefixes.get(keyOf(bytes, outer)));
      if (mux !== undefined) return { length: outer, mux };
    }
    return undefined;
  }

  #count(length: number, by: 1 | -1): void {
    this.#ofLength[length] = (this.#ofLength[length] ?? 0) + by;
  }
}

function allOf(prefix: Prefix | undefined): readonly Route[] {
  if (prefix === undefined) return [];
  return "network" in prefix ? [prefix] : prefix;
}

function muxOf(prefix: Prefix | undefined): number | undefined {
  return allOf(prefix).at(-1)?.mux;
}

function ethernetKey({ value }: EthernetNetwork, length: number): string {
  return `${value}/${length}`;
}

/** The length, and the bits that it takes of the address; a byte a character. */
function keyOf(bytes: Uint8Array, length: number): string {
  const whole = length >>> 3;
  const rest = length & 7;
  let key = String.fromCharCode(length);
  for (let k = 0; k < whole; k++) key += String.fromCharCode(bytes[k] ?? 0);
  if (rest === 0) return key;
  return key + String.fromCharCode((bytes[whole] ?? 0) >>> (8 - rest));
}

interface Exact {
  readonly network: Pick<IpNetwork, "bytes"> | EthernetNetwork;
  readonly prefixLength: number;
}

/** Behind their length as well. */
function isSame(a: Exact, b: Exact): boolean {
  return a.prefixLength === b.prefixLength && compareBytes(a, b) === 0;
}

function byLengthAndBytes(a: Exact, b: Exact): number {
  return a.prefixLength - b.prefixLength || compareBytes(a, b);
}

function compareBytes({ network: a }: Exact, { network: b }: Exact): number {
  if (!("bytes" in a) || !("bytes" in b)) return 0;
  for (let k = 0; k < a.bytes.length; k++) {
    const order = (a.bytes[k] ?? 0) - (b.bytes[k] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

function byLengthAndValue(a: Route, b: Route): number {
  const { network: one } = a;
  const { network: other } = b;
  if (one.family !== "ethernet" || other.family !== "ethernet") return 0;
  return a.prefixLength - b.prefixLength ||
    (one.value < other.value ? -1 : one.value > other.value ? 1 : 0);
}
