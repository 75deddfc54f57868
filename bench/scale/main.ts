/**
 * A server with many clients: how long it takes to load them, what memory that
 * takes, and what happens to packets while they change: `deno task
 * bench:scale`, as root, on Linux.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { TestFolder } from "../../lab/daemons.ts";
import { DEVICE, oursAsBinary, oursNative } from "../../lab/peers.ts";
import { Lab, WIRE } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/process.ts";
import {
  asBinary,
  asUsersStart,
  fromSource,
  type OurProgram,
} from "../../lab/programs.ts";
import { startDaemon } from "../../lab/daemons.ts";
import { positive } from "../options.ts";
import { residentBytes } from "../tunnel/sampling.ts";
import {
  captureTime,
  readCapture,
  type Reading,
  type Transit,
  transitOf,
} from "./capture.ts";
import { Clients } from "./clients.ts";
import { KernelTrace, traceOffset } from "./kernel_trace.ts";
import { MainThread, readOnce } from "./main_thread.ts";
import { busiest, readWaits } from "./processor_waits.ts";
import { openLibc } from "../../ffi/libc.ts";
import { delay } from "../../src/net/delay.ts";

const USAGE = `USAGE: deno task bench:scale [options]   (as root)
  --connections <n>     how many clients (50000); each has two routes
  --binary              the binary in dist in place of the source
  --first               before all else that runs on this host: what carries
                        and counts packets in real time, the rest nicely
  --help                this text
`;

const SERVER = "10.255.0.1";
const CLIENT = Uint8Array.of(10, 255, 0, 2);
const PORT = 4444;
/** Muxes begin with 0, and have 16 bits. */
const MOST = 0xffff;
/** As of nice(1). */
const FIRST = "-19";
/** A packet of 84 bytes, its header of 8, payload type and tag of 2 and 10. */
const DATAGRAM_BYTES = 84 + 10 + 10;
/** Keys that were replaced go on opening for 10 s: then they are dropped. */
const UNTIL_DROPPED = 13;

interface Change {
  readonly what: string;
  readonly seconds: number;
  make(clients: Clients): void;
}

function changes(count: number): readonly Change[] {
  return [
    { what: "nothing", seconds: 5, make: () => {} },
    { what: "1 route", seconds: 5, make: (all) => all.moveRoutes(1) },
    { what: "1000 routes", seconds: 5, make: (all) => all.moveRoutes(1000) },
    {
      what: "1000 keys",
      seconds: UNTIL_DROPPED,
      make: (all) => all.renewKeys(Math.min(count, 1000)),
    },
    {
      what: "all keys and routes",
      seconds: UNTIL_DROPPED,
      make(all) {
        all.renewKeys(count);
        all.moveRoutes(count);
      },
    },
    { what: "nothing, again", seconds: 5, make: () => {} },
  ];
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

interface Choice {
  readonly isBinary: boolean;
  /** Whether what is measured gets the processors before all else. */
  readonly isFirst: boolean;
}

class Scale {
  readonly #lab: Lab;
  readonly #folder: TestFolder;
  readonly #clients: Clients;
  readonly #program: OurProgram;
  readonly #isBinary: boolean;
  readonly #isFirst: boolean;
  readonly #file: string;
  readonly #socket: string;
  readonly #trace: KernelTrace;

  constructor(
    lab: Lab,
    folder: TestFolder,
    clients: Clients,
    trace: KernelTrace,
    { isBinary, isFirst }: Choice,
  ) {
    this.#lab = lab;
    this.#trace = trace;
    this.#isFirst = isFirst;
    this.#folder = folder;
    this.#clients = clients;
    this.#isBinary = isBinary;
    this.#program = isBinary ? asBinary : asUsersStart(fromSource);
    this.#file = folder.file("clients");
    this.#socket = folder.file("status");
  }

  async run(): Promise<void> {
    this.#write();
    const sync = `unix:${this.#folder.file("sync")}`;
    const began = performance.now();
    const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
    const controld = this.#first(this.#controld(sync));
    await controld.line(/sync server listening/, 120);
    print(`controld listens after ${seconds()} s`);
    const member = this.#first(await this.#member(sync));
    print(`the member carries after ${seconds()} s`);
    const client = this.#first(await this.#client());
    await client.line(/tunnel is set up/);
    if (this.#isFirst) await inRealTime(workersOf(member.pid));
    await this.#lab.right.ping(SERVER, 120);
    print(`the last client carries after ${seconds()} s`);
    const main = new MainThread(member.pid);
    await main.settled();
    print(`the member rests after ${seconds()} s`);
    const control = new MainThread(controld.pid);
    for (const [name, one] of Object.entries({ controld: control, main })) {
      const resident = await residentBytes(one.pid) / 2 ** 20;
      print(
        `${name}: ${resident.toFixed(0)} MiB, main thread ${
          (one.cpuMs() / 1000).toFixed(1)
        } s`,
      );
    }
    print(
      "what changes          | in: median p99 worst ms, worst without waits " +
        "for a processor, lost, who had it at the longest wait | out: the same" +
        " | main thread ms | longest wait for an answer ms | MiB",
    );
    for (const change of changes(this.#clients.probed.mux)) {
      await this.#measure(change, control, main);
    }
    await this.#readMetrics(main);
  }

  #write(): void {
    Deno.writeTextFileSync(this.#file, this.#clients.text(), { mode: 0o600 });
  }

  #controld(sync: string): LabProcess {
    return startDaemon(this.#lab.left, [
      ...["controld", "-D", "-L", "stdout:4", "-f", this.#file, "-X", sync],
    ], { program: this.#program });
  }

  #member(sync: string): Promise<LabProcess> {
    const program = this.#isBinary ? oursAsBinary : oursNative;
    return program.start(this.#lab.left, {
      role: "left",
      type: "tun",
      addresses: [`${SERVER}/30`],
      port: PORT,
      options: ["-X", sync, "--status-socket", this.#socket],
    });
  }

  #client(): Promise<LabProcess> {
    const { mux, key, salt } = this.#clients.probed;
    const program = this.#isBinary ? oursAsBinary : oursNative;
    return program.start(this.#lab.right, {
      role: "right",
      type: "tun",
      addresses: [`${CLIENT.join(".")}/30`],
      port: PORT,
      remote: { host: this.#lab.left.ipv4, port: PORT },
      options: [
        ...["-K", key.toHex(), "-A", salt.toHex()],
        ...["-m", String(mux), "-w", "64"],
      ],
    });
  }

  async #measure(
    { what, seconds, make }: Change,
    control: MainThread,
    main: MainThread,
  ): Promise<void> {
    const { right } = this.#lab;
    make(this.#clients);
    this.#write();
    const device = this.#capture(DEVICE, ["icmp"]);
    const wire = this.#capture(WIRE, ["udp", "port", String(PORT)]);
    const started = [device, wire].map(({ process }) =>
      process.line(/listening on/)
    );
    await Promise.all(started);
    const workers = workersOf(main.pid);
    this.#trace.start(workers);
    const limits = ["-i", "0.001", "-w", String(seconds)];
    const pings = right.spawn("ping", "-qn", ...limits, SERVER);
    if (this.#isFirst) await inRealTime([device, wire].map(pidOf), pings.pid);
    const answers = main.answers(this.#socket, seconds * 1000);
    await delay(500);
    const before = main.cpuMs();
    if (!what.startsWith("nothing")) Deno.kill(control.pid, "SIGHUP");
    await pings.ended;
    const cpu = main.cpuMs() - before;
    const trace = this.#trace.stop();
    const longest = await answers;
    // Until tcpdump has looked once more.
    await delay(1500);
    for (const { process } of [device, wire]) {
      await process.stop("SIGINT");
    }
    const inner = readCapture(Deno.readFileSync(device.path), ECHOES);
    const outer = readCapture(
      Deno.readFileSync(wire.path),
      datagramsFrom(this.#lab.right.ipv4),
    );
    const resident = await residentBytes(main.pid) / 2 ** 20;
    const offset = traceOffset(openLibc());
    const waits = readWaits(
      trace,
      busiest(trace, workers),
      (seconds) => captureTime(seconds + offset),
    );
    const names = new Map([[control.pid, "controld"], [main.pid, "server"]]);
    print([
      what.padEnd(21),
      textOf(transitOf(outer.in, inner.in, waits), names),
      textOf(transitOf(inner.out, outer.out, waits), names),
      cpu.toFixed(0).padStart(6),
      longest.toFixed(0).padStart(6),
      resident.toFixed(0).padStart(4),
    ].join(" | "));
    await main.settled();
  }

  async #readMetrics(main: MainThread): Promise<void> {
    const resident = async () => await residentBytes(main.pid) / 2 ** 20;
    const before = await resident();
    for (const [how, pauseMs] of [["fast", 0], ["slow", 9000]] as const) {
      main.forgetPeak();
      const cpu = main.cpuMs();
      const done = new AbortController();
      const answers = main.answers(this.#socket, 60_000, done.signal);
      const bytes = await readOnce(this.#socket, "/metrics", pauseMs);
      done.abort();
      const longest = await answers;
      await main.settled();
      print(
        `/metrics, ${how}: ${(bytes / 1e6).toFixed(1)} MB, main thread ` +
          `${(main.cpuMs() - cpu).toFixed(0)} ms, longest wait for an answer ` +
          `${longest.toFixed(0)} ms, memory ${before.toFixed(0)} MiB before, ` +
          `${main.peakMib().toFixed(0)} at most, ` +
          `${(await resident()).toFixed(0)} afterwards`,
      );
    }
  }

  #capture(device: string, filter: readonly string[]) {
    const path = this.#folder.file(`${device}.pcap`);
    const process = this.#lab.left.spawn(
      "tcpdump",
      ...["-i", device, "-s", "64", "-B", "32768", "-w", path, "-Z", "root"],
      ...["--time-stamp-precision=nano", ...filter],
    );
    return { path, process: this.#first(process) };
  }

  // Each has a session of its own, among which the kernel shares processors.
  #first(process: LabProcess): LabProcess {
    if (this.#isFirst) {
      Deno.writeTextFileSync(`/proc/${process.pid}/autogroup`, FIRST);
    }
    return process;
  }
}

/** The device of a tunnel has no header of a link: IP begins at once. */
const ECHOES: Reading = {
  isIn: (packet) => packet[20] === 8,
  count: () => 1,
};

/** Behind the header of Ethernet; all datagrams of an echo are as long. */
function datagramsFrom(address: string): Reading {
  const sender = address.split(".").map(Number);
  return {
    isIn: (packet) => sender.every((byte, k) => packet[14 + 12 + k] === byte),
    count(packet) {
      const total = (packet[16] ?? 0) * 256 + (packet[17] ?? 0);
      const count = (total - 28) / DATAGRAM_BYTES;
      // Others are no echoes.
      return Number.isInteger(count) ? count : 0;
    },
  };
}

function pidOf({ process }: { process: LabProcess }): number {
  return process.pid;
}

/** The threads of a daemon that carry packets. */
function workersOf(pid: number): number[] {
  return Array.from(
    Deno.readDirSync(`/proc/${pid}/task`),
    ({ name }) => Number(name),
  ).filter((thread) => {
    const name = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/comm`);
    return name.startsWith("worker-");
  });
}

async function inRealTime(
  threads: readonly number[],
  ...more: readonly number[]
): Promise<void> {
  for (const thread of [...threads, ...more]) {
    const args = ["-f", "-p", "1", String(thread)];
    await new Deno.Command("chrt", { args }).output();
  }
}

/** @param names Of processes that are waited for */
function textOf(
  { behind, held, lost, median, p99, worst }: Transit,
  names: ReadonlyMap<number, string>,
): string {
  const times = [median, p99, worst, held]
    .map((ms) => ms.toFixed(2).padStart(6));
  const whom = behind === undefined ? "nobody" : ownerOf(behind, names);
  return [...times, String(lost).padStart(3), whom.padEnd(8)].join(" ");
}

function ownerOf(thread: number, names: ReadonlyMap<number, string>): string {
  if (thread === 0) return "nobody";
  try {
    const status = Deno.readTextFileSync(`/proc/${thread}/status`);
    const process = Number(/^Tgid:\s*(\d+)$/m.exec(status)?.[1]);
    return names.get(process) ?? "others";
  } catch {
    // It has ended.
    return "others";
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: [...Deno.args],
    options: {
      connections: { type: "string" },
      binary: { type: "boolean", default: false },
      first: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return print(USAGE);
  const count = positive("connections", values.connections, MOST) ?? 50_000;
  await using lab = await Lab.open("scal");
  using folder = new TestFolder();
  using trace = await KernelTrace.open();
  const clients = new Clients(count, CLIENT);
  const choice = { isBinary: values.binary, isFirst: values.first };
  await new Scale(lab, folder, clients, trace, choice).run();
}

if (import.meta.main) await main();
