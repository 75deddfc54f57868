// Measurement of a whole fleet on one host: etcd, a control daemon that watches
// it, and members that it tells. To be run as root in a network namespace of its
// own.
import { LabEtcd } from "../../lab/etcd.ts";
import { LabProcess } from "../../lab/process.ts";
import { fromSource } from "../../lab/programs.ts";
import { until } from "../../lab/until.ts";
import { openStore } from "../../src/daemon/etcd.ts";
import type { EtcdClient, Operation } from "../../src/fleet/etcd_client.ts";
import { StoreError } from "../../src/fleet/store_error.ts";
import { clientKey } from "../../src/fleet/layout.ts";
import { connectionsOf, Follower } from "./follower.ts";
import { now } from "./clock.ts";
import { delay } from "../../src/net/delay.ts";
import { quantile } from "../tunnel/statistics.ts";
import { residentBytes } from "../tunnel/sampling.ts";

const CLIENTS = 10_000;
const MEMBERS = 10;
const UPDATES = 200;
const REVOKED = 100;
const PREFIX = "/fleet";
const STORE_PORT = 2379;
const CONTROL = "127.0.0.1:2323";
const FIRST_SYNC_PORT = 3300;
const PATIENCE = 200;
/** Operations of a transaction; etcd takes 128. */
const BATCH = 100;
/** That the store is stopped for. */
const HANG_MS = 15_000;

type Figures = Record<string, number>;

function clientText(mux: number): string {
  const hex = (bytes: number) =>
    crypto.getRandomValues(new Uint8Array(bytes)).toHex();
  return `mux ${mux}\nrole left\nwindow-size 1024\nkd-prf aes-ctr-128\n` +
    `key ${hex(16)}\nsalt ${hex(14)}\n` +
    `route 10.${mux >> 8}.${mux & 255}.1/32\n`;
}

const keyOf = (mux: number) => clientKey(PREFIX, `c${mux}`);

function putOf(mux: number): Operation {
  return { put: keyOf(mux), value: clientText(mux) };
}

class Fleet {
  readonly followers: Follower[] = [];
  readonly members: LabProcess[] = [];
  store: LabEtcd | undefined;
  controld: LabProcess | undefined;

  constructor(readonly folder: string, readonly client: EtcdClient) {}

  async startStore(): Promise<void> {
    const data = `${this.folder}/etcd`;
    this.store = await LabEtcd.start({ data, port: STORE_PORT });
  }

  startControld(): LabProcess {
    this.controld = start("controld", [
      ...["controld", "-D", "-L", "stdout:3", "-X", CONTROL],
      ...["--source", `http://127.0.0.1:${STORE_PORT}${PREFIX}`],
      ...["--state-dir", `${this.folder}/state`],
    ]);
    return this.controld;
  }

  startMember(k: number): void {
    this.members.push(start(`member ${k}`, [
      ...["-D", "-L", "stdout:3", "-t", "tun", "-d", `at${k}`],
      ...["-p", String(4500 + k), "-e", "left", "-X", CONTROL],
      ...["-S", String(FIRST_SYNC_PORT + k), "--state-dir", "none"],
    ]));
    this.followers.push(new Follower(2323));
  }

  /** Waits until each member has all connections. */
  async requireAll(): Promise<void> {
    const sizes = await Promise.all(
      this.members.map((_, k) => connectionsOf(FIRST_SYNC_PORT + k, CLIENTS)),
    );
    if (sizes.every((size) => size === CLIENTS)) return;
    throw new Error(`members have ${sizes}`);
  }

  /** Seconds until all followers satisfy something. */
  async all(
    what: string,
    since: number,
    is: (follower: Follower) => boolean,
  ): Promise<number> {
    const text = () =>
      what + this.followers.map((one) => ` ${one.connections.size}`);
    await until(text, PATIENCE, () => this.followers.every(is));
    return (now() - since) / 1000;
  }

  /** Milliseconds until the last follower has heard of a change of each mux. */
  async heard(
    muxes: readonly number[],
    kind: "put" | "gone",
    change: (mux: number) => Operation,
  ): Promise<number[]> {
    const took: number[] = [];
    for (const mux of muxes) {
      const begin = now();
      const all = this.followers.map((one) => one.next(kind, mux));
      await this.#change([change(mux)]);
      took.push(Math.max(...await Promise.all(all)) - begin);
      await delay(20);
    }
    return took;
  }

  async putAll(): Promise<void> {
    for (let mux = 0; mux < CLIENTS; mux += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, k) => putOf(mux + k));
      await this.#change(batch);
    }
  }

  /** Again where the store does not answer in time. */
  async #change(operations: readonly Operation[]): Promise<void> {
    for (;;) {
      try {
        return void await this.client.transact([], operations);
      } catch (error) {
        if (!(error instanceof StoreError) || !error.isUnreachable) {
          throw error;
        }
      }
    }
  }

  async stop(): Promise<void> {
    for (const one of this.followers) one.close();
    for (const one of this.members) await one.stop("SIGKILL");
    await this.controld?.stop("SIGKILL");
    await this.store?.process.stop("SIGKILL");
  }
}

function start(title: string, args: readonly string[]): LabProcess {
  const [program = "", ...before] = fromSource.command;
  return new LabProcess({ title, program, args: [...before, ...args] });
}

async function measure(fleet: Fleet, figures: Figures): Promise<void> {
  await fleet.startStore();
  await fleet.putAll();
  let since = now();
  const controld = fleet.startControld();
  await controld.line(/serving \d+ clients of/, PATIENCE);
  figures["control daemon: start with all of them, s"] = (now() - since) / 1000;
  figures["control daemon, resident, MiB"] = await mib(controld);
  since = now();
  for (let k = 0; k < MEMBERS; k++) fleet.startMember(k);
  figures["ten that follow it have all, s"] = await fleet.all(
    "all followers have all",
    since,
    (one) => one.connections.size === CLIENTS,
  );
  await fleet.requireAll();
  figures["ten members start and have all, s"] = (now() - since) / 1000;
  const updates = Array.from({ length: UPDATES }, (_, k) => k * 7 % CLIENTS);
  spread(figures, "a key is put", await fleet.heard(updates, "put", putOf));
  const revoked = Array.from({ length: REVOKED }, (_, k) => k * 11);
  const gone = (mux: number): Operation => ({ delete: keyOf(mux) });
  spread(
    figures,
    "a client is deleted",
    await fleet.heard(revoked, "gone", gone),
  );
  await burst(fleet, figures);
  await faults(fleet, figures);
  figures["control daemon, resident at the end, MiB"] = await mib(controld);
  figures["a member, resident at the end, MiB"] = Math.max(
    ...await Promise.all(fleet.members.map(mib)),
  );
  await restart(fleet, controld, figures);
}

async function burst(fleet: Fleet, figures: Figures): Promise<void> {
  const since = now();
  for (const one of fleet.followers) one.changed.clear();
  await fleet.putAll();
  figures["all are put anew: ten have them, s"] = await fleet.all(
    "all followers have all anew",
    since,
    (one) => one.changed.size === CLIENTS,
  );
}

async function faults(fleet: Fleet, figures: Figures): Promise<void> {
  await fleet.store?.process.stop("SIGKILL");
  await fleet.startStore();
  let since = now();
  await fleet.heard([1], "put", putOf);
  figures["store killed: a put after it answers again, s"] = (now() - since) /
    1000;
  const pid = fleet.store?.process.pid ?? 0;
  Deno.kill(pid, "SIGSTOP");
  await delay(HANG_MS);
  Deno.kill(pid, "SIGCONT");
  since = now();
  await fleet.heard([2], "put", putOf);
  figures["store hung for 15 s: a put after it, s"] = (now() - since) / 1000;
}

async function restart(
  fleet: Fleet,
  controld: LabProcess,
  figures: Figures,
): Promise<void> {
  await delay(1000);
  await fleet.store?.process.stop("SIGKILL");
  await controld.stop();
  const since = now();
  const again = fleet.startControld();
  await again.line(/as they were kept on disk/, PATIENCE);
  figures["control daemon: start without the store, s"] = (now() - since) /
    1000;
  await delay(12_000);
  await fleet.requireAll();
}

function spread(figures: Figures, what: string, ms: readonly number[]): void {
  figures[`${what}: ten know, p50, ms`] = quantile(ms, 0.5);
  figures[`${what}: ten know, p99, ms`] = quantile(ms, 0.99);
}

function say(to: typeof Deno.stdout, text: string): void {
  to.writeSync(new TextEncoder().encode(text));
}

async function mib({ pid }: LabProcess): Promise<number> {
  return await residentBytes(pid) / (1 << 20);
}

if (import.meta.main) {
  const folder = Deno.makeTempDirSync();
  const origins = [`http://127.0.0.1:${STORE_PORT}`];
  const given = { origins, prefix: PREFIX, text: "", login: undefined };
  using store = openStore({ ...given, tls: undefined });
  const fleet = new Fleet(folder, store.client);
  const figures: Figures = new Proxy({}, {
    set: (all: Figures, what: string, number: number) => {
      say(Deno.stderr, `${what}: ${number}\n`);
      all[what] = number;
      return true;
    },
  });
  try {
    await measure(fleet, figures);
  } finally {
    await fleet.stop();
    Deno.removeSync(folder, { recursive: true });
    const rows = Object.entries(figures)
      .map(([what, number]) => `| ${what} | ${number.toPrecision(3)} |\n`);
    const text = ["|  |  |\n", "| - | -: |\n", ...rows].join("");
    say(Deno.stdout, text);
  }
  Deno.exit();
}
