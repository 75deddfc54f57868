/** Round-trip times, as ping(8) sees them. */
import type { LabHost } from "./host.ts";

/** The round-trip times, in milliseconds, in what `ping` has written. */
export function parseRoundTrips(text: string): number[] {
  return [...text.matchAll(/ time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));
}

/**
 * Sends echo requests to an address and returns the round-trip times of those
 * that were answered, in milliseconds.
 *
 * @param count how many requests
 * @param interval milliseconds between two of them
 * @throws {Error} if none is answered
 */
export async function roundTrips(
  from: LabHost,
  address: string,
  count: number,
  interval: number,
): Promise<number[]> {
  const argv = ["ping", "-n", "-W1", `-c${count}`, `-i${interval / 1000}`];
  const seconds = count * interval / 1000 + 10;
  const text = await from.run([...argv, address], { seconds });
  return parseRoundTrips(text);
}
