/**
 * Sources that have places of their own at the sync server: those of members
 * that this one follows, and those of whoever has shown a certificate.
 *
 * @module
 */
import type { IpAddress } from "../net/address.ts";
import { sourceOfAddress } from "./origin.ts";

/** Sources of verified clients that are remembered. */
const MAX_VERIFIED = 256;

/** Knows members by where they are. That gets nobody in, but to the door. */
export class KnownMembers {
  /** Sources of the hosts that people named, by host. */
  readonly #named = new Map<string, readonly string[]>();
  /** Sources of verified clients, the one that was here last last. */
  readonly #verified = new Set<string>();

  /** A host that people named has these addresses, and no longer others. */
  name(host: string, addresses: readonly IpAddress[]): void {
    this.#named.set(host, addresses.map(sourceOfAddress));
  }

  /** A client has shown a certificate. */
  verified(source: string): void {
    this.#verified.delete(source);
    this.#verified.add(source);
    const [first] = this.#verified;
    if (this.#verified.size > MAX_VERIFIED && first !== undefined) {
      this.#verified.delete(first);
    }
  }

  /** Whether connections from there have places of their own. */
  has(source: string): boolean {
    return this.#verified.has(source) ||
      this.#named.values().some((sources) => sources.includes(source));
  }
}
