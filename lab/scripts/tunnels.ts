/**
 * Runs tunnels of the library on a host of a lab, as a script: its argument is
 * a list of {@link TunnelTask} as JSON. Says `ready`, and after each line of
 * standard input prints {@link TunnelCounts} of all of them together; ends with
 * the input.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { Tunnel, type TunnelOptions } from "../../mod.ts";
import { say } from "./say.ts";

/** One tunnel, and the connections of it. */
export interface TunnelTask {
  readonly options: TunnelOptions;
  /** All have the same passphrase. */
  readonly connections: readonly {
    readonly mux: number;
    readonly remote?: string;
    readonly windowSize: number;
    /** Behind the peer; only with routing. */
    readonly prefixes: readonly string[];
  }[];
}

/** What has been counted, by name: sums over connections and tunnels. */
export type TunnelCounts = Readonly<Record<string, number>>;

const PASSPHRASE = "only for a lab";

async function open(task: TunnelTask): Promise<Tunnel> {
  const tunnel = new Tunnel({
    ...task.options,
    logger: {
      error: say,
      warning: say,
      notice: say,
      info: () => {},
      debug: () => {},
    },
  });
  await tunnel.start();
  for (const { mux, prefixes, ...options } of task.connections) {
    await tunnel.putConnection(mux, { ...options, passphrase: PASSPHRASE });
    for (const prefix of prefixes) tunnel.putRoute(prefix, mux);
  }
  return tunnel;
}

function countsOf(tunnels: readonly Tunnel[]): TunnelCounts {
  const sums: Record<string, number> = {};
  for (const tunnel of tunnels) {
    const all = [
      tunnel.counters(),
      ...tunnel.connections().map(({ counters }) => counters),
    ];
    for (const [name, count] of all.flatMap((one) => Object.entries(one))) {
      sums[name] = (sums[name] ?? 0) + count;
    }
  }
  return sums;
}

if (import.meta.main) {
  const tasks: readonly TunnelTask[] = JSON.parse(Deno.args[0] ?? "[]");
  const tunnels: Tunnel[] = [];
  for (const task of tasks) tunnels.push(await open(task));
  say("ready");
  for await (const _ of createInterface({ input: process.stdin })) {
    say(JSON.stringify(countsOf(tunnels)));
  }
  await Promise.all(tunnels.map((tunnel) => tunnel.stop()));
}
