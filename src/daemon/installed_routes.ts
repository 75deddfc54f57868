// Routes that the kernel has from this daemon, by their text, and whose turn it is
// to be tried again: the kernel drops them without a word to anybody.
import type { KernelRoute } from "../../ffi/tuntap/device_routes.ts";

/** Those of one family, which go all at once. */
class Family {
  readonly routes = new Map<string, KernelRoute>();
  #turn = this.routes.values();

  /** @returns undefined if there is none */
  next(): KernelRoute | undefined {
    const { done, value } = this.#turn.next();
    if (done !== true) return value;
    this.#turn = this.routes.values();
    return this.#turn.next().value;
  }
}

export class InstalledRoutes {
  readonly #ipv4 = new Family();
  readonly #ipv6 = new Family();

  get(text: string): KernelRoute | undefined {
    return this.#ipv4.routes.get(text) ?? this.#ipv6.routes.get(text);
  }

  *entries(): Iterable<readonly [text: string, route: KernelRoute]> {
    yield* this.#ipv4.routes;
    yield* this.#ipv6.routes;
  }

  *texts(): Iterable<string> {
    yield* this.#ipv4.routes.keys();
    yield* this.#ipv6.routes.keys();
  }

  set(text: string, route: KernelRoute): void {
    const { routes } = route.network.length === 4 ? this.#ipv4 : this.#ipv6;
    routes.set(text, route);
  }

  delete(text: string): void {
    this.#ipv4.routes.delete(text);
    this.#ipv6.routes.delete(text);
  }

  clear(): void {
    this.#ipv4.routes.clear();
    this.#ipv6.routes.clear();
  }

  /** One of IPv4 and one of IPv6, each time the next ones. */
  nextOnes(): readonly KernelRoute[] {
    return [this.#ipv4.next(), this.#ipv6.next()]
      .filter((route) => route !== undefined);
  }
}
