/**
 * How soon an anycast address is gone after each way for a daemon to end, and
 * what its guard costs: `deno task bench:announce`, as root, on Linux. Without
 * arguments five times each.
 *
 * @module
 */
import { guardOf, startDaemon } from "../lab/daemons.ts";
import { Hosts, type LabHost } from "../lab/host.ts";
import type { LabProcess } from "../lab/process.ts";
import { OUR_PROGRAMS, type OurProgram } from "../lab/programs.ts";
import { until } from "../lab/until.ts";
import { delay } from "../src/net/delay.ts";
import { residentBytes } from "./tunnel/sampling.ts";
import { median } from "./tunnel/statistics.ts";

const ADDRESS = "198.51.100.1/32";
const DEVICE = "any0";
const TIMES = Number(Deno.args[0] ?? 5);

/** How a daemon is ended. */
type Fault = (daemon: LabProcess) => void | Promise<void>;

const signal = (name: Deno.Signal): Fault => ({ pid }) => Deno.kill(pid, name);

const FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ["SIGTERM", signal("SIGTERM")],
  ["kill -9", signal("SIGKILL")],
  ["hang (SIGSTOP)", signal("SIGSTOP")],
];

/** What the kernel says, as soon as it does. */
async function watch(host: LabHost): Promise<LabProcess> {
  const watching = host.spawn("ip", "-o", "monitor", "address", "link");
  await delay(200);
  return watching;
}

function goneLine(watching: LabProcess, after: number): Promise<string> {
  const gone = new RegExp(`Deleted .*(${ADDRESS}|${DEVICE})`);
  return watching.line(gone, 30, after);
}

async function measure(
  host: LabHost,
  program: OurProgram,
  fault: Fault,
): Promise<{ readonly gone: number; readonly guard: number }> {
  const daemon = startDaemon(host, [
    ...["-D", "-L", "stdout:3", "-d", "tun7", "-E", "x", "-w", "64"],
    ...["-n", "10.99.0.1/24", "--anycast-address", ADDRESS],
    ...["--anycast-device", DEVICE, "--drain-time", "0"],
  ], { program });
  await daemon.line(/is announced: fit/);
  const { pid } = await guardOf(daemon.pid);
  const guard = await residentBytes(pid) / 2 ** 20;
  await using watching = await watch(host);
  const { length } = watching.lines;
  const began = performance.now();
  await fault(daemon);
  await goneLine(watching, length);
  const gone = performance.now() - began;
  await daemon.stop("SIGKILL");
  await until("its device is gone", 10, async () => {
    return !(await host.ip("-o", "link")).includes("tun7");
  });
  return { gone, guard };
}

/** The kernel alone: an address that lives for a second, and is renewed. */
async function lifetime(host: LabHost, renewal: number): Promise<number> {
  await host.ip("tuntap", "add", "dev", DEVICE, "mode", "tap");
  await host.ip("link", "set", DEVICE, "up");
  await using watching = await watch(host);
  const rest = Math.random() * 1000;
  for (let passed = 0; passed < 1000 + rest; passed += renewal) {
    await host.ip(
      ...["address", "replace", ADDRESS, "dev", DEVICE],
      ...["valid_lft", "1", "preferred_lft", "1"],
    );
    await delay(renewal);
  }
  const { length } = watching.lines;
  // The fault is somewhere between two renewals: half of one, on average.
  const began = performance.now() - renewal / 2;
  await goneLine(watching, length);
  const gone = performance.now() - began;
  await host.ip("link", "delete", DEVICE);
  return gone;
}

function print(what: string, values: readonly number[]): void {
  const [middle, most] = [median(values), Math.max(...values)];
  const text = `${what}: median ${middle.toFixed(0)}, most ${most.toFixed(0)}`;
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function repeat<T>(work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < TIMES) results.push(await work());
  return results;
}

await using hosts = await Hosts.make([`bench-announce-${Deno.pid}`]);
await hosts.connect(async () => {});
const host = hosts.at(0);
for (const program of OUR_PROGRAMS) {
  if (program.missing !== null) continue;
  for (const [name, fault] of FAULTS) {
    // An own device goes with the process: here the guard is to do it.
    await host.ip("tuntap", "add", "dev", DEVICE, "mode", "tap");
    const found = await repeat(() => measure(host, program, fault));
    await host.ip("link", "delete", DEVICE);
    const what = `${program.name}, ${name}, gone after ms`;
    print(what, found.map(({ gone }) => gone));
    if (name === "kill -9") {
      const own = await repeat(() => measure(host, program, fault));
      print(`${what}, own device`, own.map(({ gone }) => gone));
      const guards = found.map(({ guard }) => guard);
      print(`${program.name}, the guard has MiB`, guards);
    }
  }
}
for (const renewal of [250, 500]) {
  print(
    `the kernel alone, valid for 1 s, renewed each ${renewal} ms, gone after ms`,
    await repeat(() => lifetime(host, renewal)),
  );
}
