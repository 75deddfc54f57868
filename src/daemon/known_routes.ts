// Networks that routes lead to, by their text, and by the connection that they are
// behind: where one of a hundred thousand changes, the others are not looked at.
import type { KernelRoute } from "../../ffi/tuntap/device_routes.ts";
import type { Prefix } from "../net/prefix.ts";

interface KnownRoute {
  readonly route: KernelRoute;
  readonly prefix: Prefix;
  readonly mux: number;
}

export class KnownRoutes {
  readonly #byText = new Map<string, KnownRoute>();
  readonly #ofMux = new Map<number, Set<string>>();

  get(text: string): KnownRoute | undefined {
    return this.#byText.get(text);
  }

  texts(): Iterable<string> {
    return this.#byText.keys();
  }

  /** The texts of those of a connection. */
  of(mux: number): Iterable<string> {
    return this.#ofMux.get(mux) ?? [];
  }

  /** In place of what was known by this text. */
  put(text: string, known: KnownRoute): void {
    this.delete(text);
    this.#byText.set(text, known);
    const texts = this.#ofMux.get(known.mux);
    if (texts === undefined) this.#ofMux.set(known.mux, new Set([text]));
    else texts.add(text);
  }

  delete(text: string): void {
    const known = this.#byText.get(text);
    if (known === undefined) return;
    this.#byText.delete(text);
    const texts = this.#ofMux.get(known.mux);
    texts?.delete(text);
    if (texts?.size === 0) this.#ofMux.delete(known.mux);
  }

  clear(): void {
    this.#byText.clear();
    this.#ofMux.clear();
  }
}
