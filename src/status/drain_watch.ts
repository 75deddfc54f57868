// Watch of a daemon that drains: whether packets still go through it.
import type { Delay } from "../net/delay.ts";
import { fitnessLine, type Report } from "./report.ts";
import { datagramsFromPeers, trafficOf } from "./sums.ts";

/** So long nothing has come: whoever leads traffic has learnt of it. */
export const QUIET_MS = 2000;

interface Drained {
  readonly isEmpty: boolean;
  /** For people. */
  readonly text: string;
}

export class DrainWatch {
  #before: Report | undefined;
  #quietSince: number | undefined;

  /**
   * @param report Of the same daemon as the ones before
   * @throws if it drains no more
   */
  look(report: Report): Drained {
    requireDraining(report);
    const before = this.#before;
    this.#before = report;
    if (before === undefined || before.pid !== report.pid) {
      this.#quietSince = undefined;
      return { isEmpty: false, text: "it was looked at once" };
    }
    const traffic = carriedBetween(before, report);
    if (traffic !== undefined) {
      this.#quietSince = undefined;
      return { isEmpty: false, text: `still carries: ${traffic}` };
    }
    this.#quietSince ??= before.time;
    const quiet = report.time - this.#quietSince;
    const isEmpty = quiet >= QUIET_MS;
    const text = `no packet for ${Math.round(quiet / 1000)} s`;
    return { isEmpty, text: isEmpty ? `empty: ${text}` : text };
  }
}

/** Routers take a moment, whatever a daemon waits for at its end. */
const LEAST_WAIT_S = 30;

/** Between two looks at what is carried. */
const LOOK_MS = 1000;

interface WatchClock {
  readonly delay: Delay;
  /** Milliseconds of a monotonic clock. */
  readonly elapsed: () => number;
}

/**
 * Looks until the daemon is empty, or the time is over, however long each look
 * takes.
 * @param seconds As long as the daemon would wait at its end, if it is not given
 * @throws if it is taken back meanwhile, or ends
 */
export async function untilEmpty(
  ask: () => Promise<Report>,
  seconds: number | undefined,
  { delay, elapsed }: WatchClock,
): Promise<Drained> {
  const watch = new DrainWatch();
  const began = elapsed();
  for (;;) {
    const report = await ask();
    const drained = watch.look(report);
    const left = (seconds ?? waitOf(report)) * 1000 - (elapsed() - began);
    if (drained.isEmpty || left <= 0) return drained;
    await delay(Math.min(LOOK_MS, left));
  }
}

function waitOf({ announcement }: Report): number {
  return Math.max(LEAST_WAIT_S, announcement?.drainTime ?? 0);
}

function requireDraining({ health }: Report): void {
  if (health.state === "draining") return;
  throw new Error(`it does not drain any more: ${fitnessLine(health)}`);
}

/** @returns undefined if it was nothing */
function carriedBetween(before: Report, after: Report): string | undefined {
  const then = trafficOf(before.totals);
  const now = trafficOf(after.totals);
  const seconds = Math.max(1, after.time - before.time) / 1000;
  const rate = (packets: number) => Math.ceil(packets / seconds);
  // A client that only says that it is there is led here all the same.
  const received = datagramsFromPeers(after.totals) -
    datagramsFromPeers(before.totals);
  const sent = now.packetsOut - then.packetsOut;
  if (received <= 0 && sent <= 0) return undefined;
  return `${rate(received)} packets a second from peers, and ${rate(sent)} ` +
    "to them";
}
