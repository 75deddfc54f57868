/** Echo requests that are counted. */
import type { LabHost } from "./host.ts";

/** Much longer than it takes, so that a slow host decides nothing. */
const ANSWER_SECONDS = 20;

/**
 * Sends many echo requests in a row, of which the last ones are not waited for
 * where others were answered: ping gives them twice as long as those took.
 *
 * @returns How many were seen to be answered.
 */
export async function sendEchoes(
  host: LabHost,
  to: string,
  count: number,
): Promise<number> {
  const flags = ["-n", "-q", "-c", String(count), "-i", "0.01", "-W", "5"];
  const { stdout, stderr } = await host.outcome(["ping", ...flags, to]);
  const [, received] = /transmitted, (\d+) received/.exec(stdout) ?? [];
  if (received === undefined) throw new Error(`Cannot ping: ${stderr}`);
  return Number(received);
}

/** How many of some echo requests, each of which is waited for, are answered. */
export async function answeredEchoes(
  host: LabHost,
  to: string,
  count: number,
): Promise<number> {
  const flags = ["-n", "-q", "-c", "1", "-W", String(ANSWER_SECONDS)];
  const options = { seconds: 2 * ANSWER_SECONDS };
  let answered = 0;
  for (let k = 0; k < count; k++) {
    const { code } = await host.outcome(["ping", ...flags, to], options);
    if (code === 0) answered++;
  }
  return answered;
}
