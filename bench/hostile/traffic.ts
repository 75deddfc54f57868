/**
 * What is sent through a tunnel to see whether it lives.
 *
 * @module
 */

import type { Sides } from "../../lab/lab.ts";
import { copy, serve } from "../../lab/measure.ts";
import { outcomeOf, PATIENCE_SECONDS } from "../../lab/process.ts";
import { parseRoundTrips } from "../../lab/round_trips.ts";
import { median } from "../tunnel/statistics.ts";
import { INNER4, otherSide, type Side } from "../tunnel/tunnel.ts";

const MEGA = 1e6;

/** What came of a copy. */
interface Copied {
  /** Megabit per second. */
  readonly rate: number;
  /** Whether what arrived is what was sent. */
  readonly intact: boolean;
}

/** What came of echo requests. */
interface Echoes {
  /** Percent of the requests that nobody answered. */
  readonly lost: number;
  /** Milliseconds; NaN if nobody answered. */
  readonly median: number;
  /** Whether their sender heard that they are too long (RFC 1191). */
  readonly told: boolean;
}

/** Traffic through the tunnel between two hosts. */
export class Traffic {
  readonly #lab: Sides;
  readonly #seconds: number;
  readonly #serving = new Set<Side>();

  /** @param seconds How long a copy takes */
  constructor(lab: Sides, seconds: number) {
    this.#lab = lab;
    this.#seconds = seconds;
  }

  /** Copies with every byte compared at the other end. */
  async copy(from: Side, seconds = this.#seconds): Promise<Copied> {
    const to = otherSide(from);
    if (!this.#serving.has(to)) await serve(this.#lab[to]);
    this.#serving.add(to);
    const broken = { bytes: 0, seconds: 1, intact: false };
    const report = await copy(this.#lab[from], INNER4[to], Infinity, seconds)
      .catch(() => broken);
    const rate = report.bytes * 8 / report.seconds / MEGA;
    return { rate, intact: report.intact && report.bytes > 0 };
  }

  /**
   * Sends echo requests until one of them is answered.
   *
   * @returns How long that took; undefined if it took longer than 30 s.
   */
  async untilAnswered(from: Side): Promise<number | undefined> {
    const { namespace } = this.#lab[from];
    const began = performance.now();
    for (;;) {
      const left = Math.ceil(
        PATIENCE_SECONDS - (performance.now() - began) / 1000,
      );
      if (left <= 0) return undefined;
      const { code } = await outcomeOf([
        ...["ip", "netns", "exec", namespace, "ping", "-n", "-q", "-c1"],
        ...["-i0.01", `-w${left}`, INNER4[otherSide(from)]],
      ], { seconds: left + 5 });
      if (code === 0) return (performance.now() - began) / 1000;
    }
  }

  /**
   * Sends echo requests.
   *
   * @param interval Milliseconds from one to the next
   * @param bytes Of the payload of each
   */
  async echoes(
    from: Side,
    { count = 100, interval = 10, bytes = 56, options = [] as string[] } = {},
  ): Promise<Echoes> {
    const { namespace } = this.#lab[from];
    const limits = { seconds: count * interval / 1000 + 30 };
    const { stdout, stderr } = await outcomeOf([
      ...["ip", "netns", "exec", namespace, "ping", "-n", "-W1"],
      ...[`-c${count}`, `-s${bytes}`, `-i${interval / 1000}`, ...options],
      INNER4[otherSide(from)],
    ], limits);
    const trips = parseRoundTrips(stdout);
    return {
      lost: 100 * (1 - answered(stdout) / count),
      median: trips.length === 0 ? NaN : median(trips),
      told: /message too long|frag needed/i.test(stdout + stderr),
    };
  }
}

/** How many different requests were answered; some are so more than once. */
function answered(text: string): number {
  const numbers = text.matchAll(/ icmp_seq=(\d+) .* time=/g);
  return new Set([...numbers].map(([, number]) => number)).size;
}
