// Name resolution with retries.
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { type IpAddress, parseAddress, unmapped } from "./address.ts";
import type { Delay } from "./delay.ts";
import type { Endpoint } from "./endpoint.ts";

export type FamilyChoice = "any" | "4" | "6";

/**
 * In the order of the system.
 * @throws if there are none
 */
export type Lookup = (
  host: string,
  family: FamilyChoice,
) => Promise<readonly IpAddress[]>;

export type ResolvedEndpoints = readonly [Endpoint, ...Endpoint[]];

export interface ResolveRequest {
  readonly host: string;
  readonly port: number;
  readonly family: FamilyChoice;
  readonly signal?: AbortSignal;
}

const RETRY_SECONDS = 10;

/** Tries again for ever (SATP section 7). */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #delay: Delay;
  readonly #log: Logger;

  constructor(lookup: Lookup, delay: Delay, log: Logger) {
    this.#lookup = lookup;
    this.#delay = delay;
    this.#log = log;
  }

  /** @throws the reason of the signal, once that is aborted */
  async resolve(request: ResolveRequest): Promise<ResolvedEndpoints> {
    const { host, port, signal } = request;
    while (true) {
      signal?.throwIfAborted();
      this.#log.debug(`trying to resolv UDP: '${host}' '${port}'`);
      try {
        return await unlessAborted(this.resolveOnce(request), signal);
      } catch (error) {
        signal?.throwIfAborted();
        this.#log.error(
          `Error while resolving '${host}' '${port}', retrying in ${RETRY_SECONDS} sec.`,
          { cause: "not-resolved", host },
        );
        this.#log.info(`resolving '${host}' failed: ${reasonOf(error)}`);
      }
      await this.#delay(RETRY_SECONDS * 1000, signal);
    }
  }

  async resolveOnce(
    { host, port, family }: ResolveRequest,
  ): Promise<ResolvedEndpoints> {
    const addresses = await this.#lookUp(host, family);
    const [first, ...others] = addresses.map((address) => ({ address, port }));
    if (first === undefined) throw new Error("the name has no address");
    return [first, ...others];
  }

  /** An address needs no name server, but may be of the wrong family. */
  async #lookUp(
    host: string,
    family: FamilyChoice,
  ): Promise<readonly IpAddress[]> {
    const literal = parseAddress(host);
    if (literal === undefined) return await this.#lookup(host, family);
    const address = unmapped(literal);
    if (family !== "any" && family !== String(address.family)) {
      throw new Error(
        `it is an IPv${address.family} address, not IPv${family}`,
      );
    }
    return [address];
  }
}

/** A lookup cannot be cancelled, but nobody needs to wait for it. */
async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await work;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
