/**
 * ping: round-trip times through the tunnel.
 *
 * @module
 */

import type { Lab } from "./lab.ts";
import { INNER4 } from "./tunnel.ts";

/** The round-trip times, in milliseconds, in what `ping` has written. */
export function parseRoundTrips(text: string): number[] {
  return [...text.matchAll(/ time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));
}

/**
 * Sends echo requests from left to right and returns the round-trip times of
 * those that were answered, in milliseconds.
 *
 * @param count how many requests
 * @param interval milliseconds between two of them
 * @throws {Error} if none is answered
 */
export async function ping(
  lab: Lab,
  count: number,
  interval: number,
): Promise<number[]> {
  const argv = ["ping", "-n", "-W1", `-c${count}`, `-i${interval / 1000}`];
  const text = await lab.exec("left", [...argv, INNER4.right], {
    timeout: count * interval + 10_000,
  });
  return parseRoundTrips(text);
}
