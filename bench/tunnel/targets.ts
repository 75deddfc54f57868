/**
 * What this program is to reach beside its peers.
 *
 * @module
 */

import { gather, paired, type Report } from "./report.ts";
import { median } from "./statistics.ts";
import { grid, threeDigits } from "./table.ts";

/** A figure and its bound. */
interface Target {
  readonly name: string;
  readonly unit: string;
  readonly kind: "at least" | "at most";
  readonly bound: number;
  /** Undefined where the run lacks what it takes. */
  readonly measured: number | undefined;
}

/** The plain program, and the one with libIPSec_MB. */
const PLAIN = "source";
const WITH_LIBRARY = "ipsec-mb";

const TCP = "tcp.forward.gbps";

/** How many times as much ours is in each round; the median of them. */
function times(
  { samples }: Report,
  [ours, ourMetric]: readonly [subject: string, metric: string],
  [theirs, theirMetric]: readonly [subject: string, metric: string],
): number | undefined {
  const cells = gather(samples);
  const found = paired(
    cells[ours]?.[ourMetric],
    cells[theirs]?.[theirMetric],
  ).map(([our, their]) => our / their);
  return found.length === 0 ? undefined : median(found);
}

/** Against that peer, other than anytun, that comes nearest. */
function timesBestPeer(
  report: Report,
  ours: string,
  metric: string,
): number | undefined {
  const peers = report.subjects.filter((subject) =>
    !subject.ours && subject.pair === undefined && subject.id !== "anytun"
  );
  const found = peers
    .map(({ id }) => times(report, [ours, metric], [id, metric]))
    .filter((ratio) => ratio !== undefined);
  return found.length === 0 ? undefined : Math.min(...found);
}

/** Against the places where anytun's throughput gathers. */
function timesAnytun(
  { medians, modes }: Report,
  mode: "low" | "high",
): number | undefined {
  const ours = medians[PLAIN]?.[TCP];
  const theirs = modes["anytun"]?.[mode];
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

function greatest(
  { medians }: Report,
  subject: string,
  metrics: readonly string[],
): number | undefined {
  const found = metrics.map((metric) => medians[subject]?.[metric])
    .filter((value) => value !== undefined);
  return found.length === 0 ? undefined : Math.max(...found);
}

/** All targets with what the run has found. */
export function targets(report: Report): Target[] {
  const least = (
    name: string,
    bound: number,
    measured: number | undefined,
  ): Target => ({ name, unit: "x", kind: "at least", bound, measured });
  const most = (
    name: string,
    unit: string,
    bound: number,
    measured: number | undefined,
  ): Target => ({ name, unit, kind: "at most", bound, measured });
  const figure = (subject: string, ...metrics: string[]) =>
    greatest(report, subject, metrics);
  const together = times(report, [PLAIN, TCP], ["anytun", "together.gbps"]);
  const apart = times(report, [PLAIN, TCP], ["anytun", "apart.gbps"]);
  const memory = ["memory.left", "memory.right"];
  return [
    least("TCP, anytun's slow mode", 12, timesAnytun(report, "low")),
    least("TCP, anytun on one processor", 12, together),
    least("TCP, anytun's fast mode", 6, timesAnytun(report, "high")),
    least("TCP, anytun on two processors", 6, apart),
    least("TCP, best other peer", 2.2, timesBestPeer(report, PLAIN, TCP)),
    least(
      ...["UDP, 1300 B, best other peer", 3] as const,
      timesBestPeer(report, PLAIN, "udp1300.kpps"),
    ),
    most("TCP, CPU", "s/GB", 3.2, figure(PLAIN, "tcp.forward.cpu")),
    least(
      ...["TCP, libIPSec_MB, best other peer", 2.8] as const,
      timesBestPeer(report, WITH_LIBRARY, TCP),
    ),
    most(
      ...["TCP, CPU, libIPSec_MB", "s/GB", 2] as const,
      figure(WITH_LIBRARY, "tcp.forward.cpu"),
    ),
    most("start to first packet, source", "s", 0.3, figure(PLAIN, "start")),
    most("start to first packet, binary", "s", 0.25, figure("binary", "start")),
    most("ping, idle, p99", "ms", 0.4, figure(PLAIN, "ping.p99")),
    most("memory, source", "MiB", 80, figure(PLAIN, ...memory)),
    most("memory, binary", "MiB", 85, figure("binary", ...memory)),
  ];
}

/** The targets that the run has figures for, or nothing. */
export function renderTargets(report: Report): string {
  const rows = targets(report).flatMap(
    ({ name, unit, kind, bound, measured }) => {
      if (measured === undefined) return [];
      const met = kind === "at least" ? measured >= bound : measured <= bound;
      const target = `${kind} ${bound} ${unit}`;
      return [[name, target, threeDigits(measured), met ? "met" : "not met"]];
    },
  );
  if (rows.length === 0) return "";
  return grid([["target", "", "measured", ""], ...rows]);
}
