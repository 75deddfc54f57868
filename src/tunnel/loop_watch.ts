// Watch over the ways to the peers: one that leads into the tunnel itself brings
// each datagram back to be sealed once more, such as where a default route to
// the device leaves the peer none of its own.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { Cause, CAUSE_WORDS } from "./causes.ts";
import { readEndpoint } from "./endpoint_words.ts";

/** A device that may be in the way to peers. */
export interface DeviceInTheWay {
  readonly name: string;
  /** Whether what is sent to an address goes over it. */
  isWayTo(address: Uint8Array): boolean;
}

export class LoopWatch {
  readonly #device: DeviceInTheWay;
  readonly #log: RateLimitedLog;
  /** Of which it has been said. */
  readonly #looping = new Set<number>();

  constructor(device: DeviceInTheWay, log: RateLimitedLog) {
    this.#device = device;
    this.#log = log;
  }

  /** @param words Where the peer of the connection is */
  lookAt(mux: number, words: Uint32Array): void {
    const to = readEndpoint(words, 0);
    const { name } = this.#device;
    if (to === undefined || !this.#device.isWayTo(to.address.bytes)) {
      this.#looping.delete(mux);
      return;
    }
    if (this.#looping.has(mux)) return;
    this.#looping.add(mux);
    const cause = Cause.LOOP;
    this.#log.write("warning", cause, () => {
      const endpoint = formatEndpoint(to);
      return {
        text:
          `connection ${mux}: the way to ${endpoint} ${
            CAUSE_WORDS[cause]
          } (${name}), so that nothing arrives there: give the peer a route ` +
          "of its own outside, or datagrams a --mark with a rule of their own",
        fields: { cause, mux, endpoint },
      };
    });
  }
}
