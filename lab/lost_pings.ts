import type { LabHost } from "./host.ts";

/**
 * Pings an address each 5 ms until the work is done.
 *
 * @returns Numbers that had no answer, though later ones had
 */
export async function lostPings(
  host: LabHost,
  address: string,
  work: () => Promise<void>,
): Promise<readonly number[]> {
  const pings = host.spawn("ping", "-i", "0.005", address);
  await work();
  const { length } = pings.lines;
  await pings.line(/icmp_seq=/, 20, length);
  await pings.stop("SIGINT");
  const heard = new Set(
    pings.lines.flatMap((line) => /icmp_seq=(\d+)/.exec(line)?.[1] ?? [])
      .map(Number),
  );
  // The last one may be on its way still.
  return Array.from({ length: Math.max(...heard) }, (_, k) => k + 1)
    .filter((number) => !heard.has(number));
}
