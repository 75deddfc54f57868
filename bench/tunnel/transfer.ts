/**
 * A transfer with the CPU time that both daemons spend on it.
 *
 * @module
 */

import { iperf, type IperfOptions } from "../../lab/iperf.ts";
import type { Bench, Metric, Readings } from "./scenario.ts";
import { INNER4 } from "./tunnel.ts";

const GIGA = 1e9;

/** Gbit in a GB, times the ends of a tunnel. */
const GIGABIT_ENDS = 8 * 2;

/** The metrics of a transfer of that name. */
export function transferMetrics(name: string, label: string): Metric[] {
  return [
    { id: `${name}.gbps`, label, unit: "Gbit/s", better: "higher" },
    {
      id: `${name}.cpu`,
      label: `${label}, CPU`,
      unit: "s/GB",
      better: "lower",
    },
  ];
}

/** How many processors one end keeps busy for each Gbit/s. */
export function coresMetric(name: string, label: string): Metric {
  return {
    id: `${name}.cores`,
    label: `${label}, CPU of one end`,
    unit: "cores per Gbit/s",
    better: "lower",
  };
}

/**
 * Makes one TCP transfer and reads what it brought and what it cost.
 *
 * @returns `<name>.gbps` and `<name>.cpu` (CPU seconds per GB of both daemons),
 * `<name>.cores` (processors per Gbit/s, the mean of both ends), and as details the same per daemon, the bytes and the segments sent again
 */
export async function transfer(
  bench: Bench,
  name: string,
  options: Partial<IperfOptions> = {},
): Promise<Readings> {
  const { lab, tunnel, seconds } = bench;
  const before = await tunnel.cpuSeconds();
  const result = await iperf(lab.left, lab.right, {
    address: INNER4.right,
    seconds,
    ...options,
  });
  const after = await tunnel.cpuSeconds();
  const gigabytes = result.bytes / GIGA;
  const left = (after.left - before.left) / gigabytes;
  const right = (after.right - before.right) / gigabytes;
  return {
    [`${name}.gbps`]: result.bitsPerSecond / GIGA,
    [`${name}.cpu`]: left + right,
    [`${name}.cores`]: (left + right) / GIGABIT_ENDS,
    [`${name}.cpu.left`]: left,
    [`${name}.cpu.right`]: right,
    [`${name}.bytes`]: result.bytes,
    [`${name}.retransmits`]: result.retransmits,
  };
}
