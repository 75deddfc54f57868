/**
 * Hours of mixed traffic through a pair of daemons and a cluster, while they
 * reload, roam, move and change keys: `deno task soak`, as root, on Linux.
 * Whatever is lost or kept is written down.
 *
 * @module
 */

import { ClusterLab } from "../../lab/cluster_lab.ts";
import { TestFolder } from "../../lab/daemons.ts";
import { deniedCalls, whyNoKernelLog } from "../../lab/kernel_log.ts";
import { Lab } from "../../lab/lab.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { oursAsBinary, oursNative } from "../../lab/peers.ts";
import { readEnvironment } from "../tunnel/environment.ts";
import { renderChart } from "./chart.ts";
import { startCluster } from "./cluster.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { startPair } from "./pair.ts";
import {
  type Daemon,
  type Echoes,
  type Happening,
  type Sample,
  type SoakRecord,
  verdictOf,
} from "./record.ts";
import { renderTables } from "./tables.ts";
import { daemonNow, echoesOf, type SoakTunnel } from "./tunnel.ts";

const RESULTS = new URL("../results/", import.meta.url);

/** From one sample to the next, but for short soaks. */
const SAMPLE_SECONDS = 10;

/** Three epochs of the shortest interval. */
const STALE_SECONDS = 180;

/** From one event to the next, in samples. */
const EVENT_EVERY = 2;

type Tunnels = Readonly<Record<string, SoakTunnel>>;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

class Soak {
  readonly #tunnels: Tunnels;
  readonly #seconds: number;
  readonly #started = performance.now();
  readonly #stop = new AbortController();
  /** By tunnel, which epoch it is in, and since when. */
  readonly #keys = new Map<string, { epoch: number; at: number }>();
  readonly samples: Sample[] = [];
  readonly happenings: Happening[] = [];

  constructor(tunnels: Tunnels, seconds: number) {
    this.#tunnels = tunnels;
    this.#seconds = seconds;
  }

  /** @throws if a daemon ends, or bytes arrive that were not sent */
  async run(): Promise<void> {
    const traffic = Object.values(this.#tunnels)
      .map((tunnel) => this.#carry(tunnel));
    try {
      await Promise.race([this.#watch(), Promise.all(traffic)]);
    } finally {
      this.#stop.abort();
      await Promise.allSettled(traffic);
    }
  }

  get #now(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** One kind of traffic after the other. */
  async #carry({ traffic }: SoakTunnel): Promise<void> {
    for (let k = 0; !this.#stop.signal.aborted; k++) {
      const kind = traffic[k % traffic.length];
      try {
        await kind?.act();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#note(
          `${kind?.what}: ${error instanceof Error ? error.message : error}`,
        );
        if (/not what arrived/.test(`${error}`)) throw error;
      }
    }
  }

  async #watch(): Promise<void> {
    const events = Object.values(this.#tunnels)
      .flatMap(({ events }) => events);
    const reason = whyNoKernelLog();
    const saysDenials = reason === null;
    if (!saysDenials) this.#note(`denied calls are not looked for: ${reason}`);
    for (let k = 0; this.#now < this.#seconds; k++) {
      if (k % EVENT_EVERY === 1) {
        const event = events[(k >> 1) % events.length];
        await event?.act();
        if (event !== undefined) this.#note(event.what);
      }
      const seconds = Math.min(SAMPLE_SECONDS, this.#seconds / 10);
      this.samples.push(await this.#sample(seconds));
      this.#lookAtKeys();
      if (saysDenials) this.#lookAtDenials();
    }
  }

  /** @throws if the sandbox of a daemon has denied a call */
  #lookAtDenials(): void {
    for (const { daemons } of Object.values(this.#tunnels)) {
      for (const [name, { pid }] of Object.entries(daemons)) {
        const calls = deniedCalls(pid);
        if (calls.length === 0) continue;
        throw new Error(`${name}: denied system calls ${calls.join(", ")}`);
      }
    }
  }

  /** @throws if keys no longer change */
  #lookAtKeys(): void {
    for (const [name, tunnel] of Object.entries(this.#tunnels)) {
      const epoch = tunnel.epoch();
      const before = this.#keys.get(name) ?? { epoch, at: this.#now };
      if (epoch === before.epoch) {
        if (this.#now - before.at > STALE_SECONDS) {
          throw new Error(`${name}: keys have not changed for too long`);
        }
        this.#keys.set(name, before);
        continue;
      }
      this.#note(`${name}: new keys are confirmed`);
      this.#keys.set(name, { epoch, at: this.#now });
    }
  }

  async #sample(seconds: number): Promise<Sample> {
    const tunnels = Object.entries(this.#tunnels);
    const measured = await Promise.all(
      tunnels.map(async ([name, tunnel]) =>
        [name, await echoesOf(tunnel, seconds)] as const
      ),
    );
    const echoes: Record<string, Echoes> = Object.fromEntries(measured);
    const daemons: Record<string, Daemon> = {};
    for (
      const [name, process] of tunnels.flatMap(([, tunnel]) =>
        Object.entries(tunnel.daemons)
      )
    ) daemons[name] = daemonNow(process);
    const sample = { seconds: Math.round(this.#now), daemons, echoes };
    print(lineOf(sample));
    return sample;
  }

  #note(what: string): void {
    const seconds = Math.round(this.#now);
    this.happenings.push({ seconds, what });
    print(`${String(seconds).padStart(6)} s  ${what}`);
  }
}

function lineOf({ seconds, daemons, echoes }: Sample): string {
  const memory = Object.values(daemons)
    .map(({ resident }) => Math.round(resident / 2 ** 20)).join(" ");
  const descriptors = Object.values(daemons)
    .map(({ descriptors }) => descriptors).join(" ");
  const trips = Object.entries(echoes).map(([name, { lost, median, worst }]) =>
    `${name} ${median ?? "-"} ms (${worst ?? "-"}), ${lost} lost`
  );
  return `${String(seconds).padStart(6)} s  ${memory} MiB, ` +
    `${descriptors} descriptors, ${trips.join(", ")}`;
}

async function soak({ seconds, binary }: Options): Promise<number> {
  const program = binary ? oursAsBinary : oursNative;
  const reason = whyNoLab() ?? missingCommand("ping") ?? program.missing();
  if (reason !== null) throw new Error(`Cannot soak: ${reason}`);
  const environment = await readEnvironment();
  using folder = new TestFolder();
  await using pairLab = await Lab.open(`so-${Deno.pid}`);
  await using clusterLab = await ClusterLab.open(`sc-${Deno.pid}`);
  const fileOf = (name: string) => folder.file(name);
  const pair = await startPair(pairLab, program, fileOf);
  const cluster = await startCluster(clusterLab, program, fileOf);
  const soak = new Soak({ pair, cluster }, seconds);
  // Whatever ends it, hours of samples are not to be lost.
  const failures = await soak.run().then(
    () => [],
    (error) => [error instanceof Error ? error.message : String(error)],
  );
  const { samples, happenings } = soak;
  const verdict = verdictOf(samples, failures);
  await save({ environment, samples, happenings, verdict });
  const { text, faults, notes } = verdict;
  for (const line of [...notes, ...faults, text]) print(line);
  return faults.length === 0 ? 0 : 1;
}

async function save(record: SoakRecord): Promise<void> {
  await Deno.mkdir(RESULTS, { recursive: true });
  const json = JSON.stringify(record, null, 1) + "\n";
  await Deno.writeTextFile(new URL("soak.json", RESULTS), json);
  const svg = renderChart(record.samples);
  await Deno.writeTextFile(new URL("soak.svg", RESULTS), svg);
  print("written: bench/results/soak.json and .svg");
}

async function lastRecord(): Promise<SoakRecord> {
  const text = await Deno.readTextFile(new URL("soak.json", RESULTS));
  return JSON.parse(text);
}

if (import.meta.main) {
  try {
    const options = parseOptions(Deno.args);
    if (options.help) print(USAGE);
    else if (options.markdown) print(renderTables(await lastRecord()));
    else Deno.exit(await soak(options));
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
