import { iperf } from "../../../lab/iperf.ts";
import { FAN_CLIENTS, fanClient, workerCounts } from "../fan.ts";
import type { Bench, Metric, Readings, Scenario } from "../scenario.ts";

const GIGA = 1e9;

function metrics(id: string, label: string): Metric[] {
  return [
    { id: `${id}.gbps`, label, unit: "Gbit/s", better: "higher" },
    {
      id: `${id}.cpu`,
      label: `${label}, CPU of the server`,
      unit: "s/GB",
      better: "lower",
    },
  ];
}

/** One TCP connection for each client, all at a time. */
async function transfers(
  { lab, tunnel, seconds }: Bench,
  id: string,
  reverse: boolean,
): Promise<Readings> {
  const before = await tunnel.cpuSeconds();
  const results = await Promise.all(
    Array.from({ length: FAN_CLIENTS }, (_, index) => {
      const address = fanClient(index);
      return iperf(lab.left, lab.right, {
        ...{ address, seconds, reverse },
        bound: true,
      });
    }),
  );
  const after = await tunnel.cpuSeconds();
  const sum = (of: (result: typeof results[number]) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const gigabytes = sum(({ bytes }) => bytes) / GIGA;
  return {
    [`${id}.gbps`]: sum(({ bitsPerSecond }) => bitsPerSecond) / GIGA,
    [`${id}.cpu`]: (after.left - before.left) / gigabytes,
  };
}

const PROCESSORS = navigator.hardwareConcurrency;

/** A server with several clients, with that many workers and processors. */
function fan(workers: number): Scenario {
  const shared = workers < PROCESSORS ? "" : ", processors shared";
  const name = (workers === 1 ? "1 worker" : `${workers} workers`) + shared;
  const id = `cores.${workers}`;
  return {
    name: "cores",
    on: `fan-${workers}`,
    metrics: [
      ...metrics(`${id}.forward`, `${FAN_CLIENTS} clients, ${name}`),
      ...metrics(`${id}.reverse`, `${FAN_CLIENTS} clients, ${name}, reverse`),
    ],
    async run(bench) {
      return {
        ...await transfers(bench, `${id}.forward`, false),
        ...await transfers(bench, `${id}.reverse`, true),
      };
    },
  };
}

/**
 * With 1, 2, 4 workers and so on, as far as there are processors. The clients
 * have those that the server leaves; if it has all, they share them.
 */
export const cores: readonly Scenario[] = workerCounts(PROCESSORS).map(fan);
