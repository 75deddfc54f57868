// Sources with places of their own at the sync server: those of members that
// this one follows, and of clients whose certificate was verified.
import type { IpAddress } from "../net/address.ts";
import { sourceOfAddress } from "../net/origin.ts";

const MAX_VERIFIED = 256;

/** This admits nobody; it only decides about places. */
export class KnownMembers {
  /** By host, as configured. */
  readonly #named = new Map<string, readonly string[]>();
  /** The most recent one last. */
  readonly #verified = new Set<string>();

  /** The addresses of a configured host, in place of those before. */
  name(host: string, addresses: readonly IpAddress[]): void {
    this.#named.set(host, addresses.map(sourceOfAddress));
  }

  verified(source: string): void {
    this.#verified.delete(source);
    this.#verified.add(source);
    const [first] = this.#verified;
    if (this.#verified.size > MAX_VERIFIED && first !== undefined) {
      this.#verified.delete(first);
    }
  }

  has(source: string): boolean {
    return this.#verified.has(source) ||
      this.#named.values().some((sources) => sources.includes(source));
  }
}
