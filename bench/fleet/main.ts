// Measurement of stores that may hold the records of a fleet: etcd and NATS,
// with the same records and three watchers each.
import { LabProcess } from "../../lab/process.ts";
import { type Change, openStore, type Store, STORES } from "./store.ts";
import type { StoreName } from "./store.ts";
import { now } from "./clock.ts";
import { Proxy } from "./proxy.ts";
import { type Server, startServer } from "./servers.ts";
import { type Heard, MARK } from "./watcher.ts";
import { delay } from "../../src/net/delay.ts";
import { quantile } from "../tunnel/statistics.ts";
import { residentBytes } from "../tunnel/sampling.ts";

const RECORDS = 10_000;
const WATCHERS = 3;
const UPDATES = 1000;
const CUT_CHANGES = 500;
const CUT_MS = 10_000;

/** A row of the table: a name, and a number for each store. */
type Figures = Record<string, number>;

class Watchers implements AsyncDisposable {
  readonly #processes: readonly LabProcess[];

  constructor(name: StoreName, port: number) {
    const script = new URL("watcher.ts", import.meta.url).pathname;
    this.#processes = Array.from(
      { length: WATCHERS },
      (_, k) =>
        new LabProcess({
          title: `watcher ${k}`,
          program: Deno.execPath(),
          args: ["run", "-A", "--no-lock", script, name, String(port)],
        }),
    );
  }

  /** What each has heard when it hears of a mark. */
  async at(mark: string): Promise<readonly Heard[]> {
    const lines = await Promise.all(
      this.#processes.map((process) =>
        process.line(new RegExp(`"mark":"${mark}"`))
      ),
    );
    return lines.map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process.stop("SIGKILL");
  }
}

function record(k: number): Change {
  const key = `c${String(k).padStart(5, "0")}`;
  const hex = (bytes: number) =>
    crypto.getRandomValues(new Uint8Array(bytes)).toHex();
  const value = `# ${now()}\nmux ${k}\nrole left\nwindow-size 1024\n` +
    `kd-prf aes-ctr-128\nkey ${hex(16)}\nsalt ${hex(14)}\n` +
    `route 10.${k >> 8}.${k & 255}.1/32\n`;
  return { key, value };
}

const records = (count: number) =>
  Array.from({ length: count }, (_, k) => record(k));

/** ms from a moment until the last watcher has heard of the mark. */
const after = (start: number, heard: readonly Heard[]) =>
  Math.max(...heard.map(({ at }) => at)) - start;

async function measure(name: StoreName): Promise<Figures> {
  const data = Deno.makeTempDirSync();
  let server = await startServer(name, data);
  try {
    const figures: Figures = {};
    using proxy = new Proxy(server.port);
    {
      await using writer = await openStore(name, server.port);
      await load(writer, figures);
      await using watchers = await follow(name, proxy, writer, figures);
      await update(writer, watchers, figures);
      await burst(writer, watchers, figures);
      await cut(writer, watchers, proxy, figures);
      figures["store, resident, MiB"] = mib(
        await residentBytes(server.process.pid),
      );
      server = await restart(name, server, data, watchers, figures);
    }
    figures["on disk, MiB"] = mib(await sizeOf(data));
    return figures;
  } finally {
    await server.process.stop("SIGKILL");
    Deno.removeSync(data, { recursive: true });
  }
}

async function load(writer: Store, figures: Figures): Promise<void> {
  const start = now();
  await writer.putAll(records(RECORDS));
  figures["10 000 records put, s"] = (now() - start) / 1000;
  await writer.put({ key: MARK, value: "loaded" });
}

async function follow(
  name: StoreName,
  proxy: Proxy,
  writer: Store,
  figures: Figures,
): Promise<Watchers> {
  const start = now();
  const watchers = new Watchers(name, proxy.port);
  await watchers.at("loaded");
  figures["three watchers have all, s"] = (now() - start) / 1000;
  figures["of that, MB to each"] = proxy.bytes / WATCHERS / 1e6;
  await writer.put({ key: MARK, value: "followed" });
  const heard = await watchers.at("followed");
  assertKeys(heard);
  return watchers;
}

async function update(
  writer: Store,
  watchers: Watchers,
  figures: Figures,
): Promise<void> {
  const acknowledged: number[] = [];
  for (let k = 0; k < UPDATES; k++) {
    const change = record(k * 7 % RECORDS);
    const start = now();
    await writer.put(change);
    acknowledged.push(now() - start);
    await delay(4);
  }
  await writer.put({ key: MARK, value: "updated" });
  const heard = await watchers.at("updated");
  figures["a put is answered, p50, ms"] = quantile(acknowledged, 0.5);
  figures["a put is answered, p99, ms"] = quantile(acknowledged, 0.99);
  figures["a watcher hears, p50, ms"] = Math.max(...heard.map((h) => h.p50));
  figures["a watcher hears, p99, ms"] = Math.max(...heard.map((h) => h.p99));
}

async function burst(
  writer: Store,
  watchers: Watchers,
  figures: Figures,
): Promise<void> {
  const start = now();
  await writer.putAll(records(RECORDS));
  await writer.put({ key: MARK, value: "burst" });
  const heard = await watchers.at("burst");
  figures["10 000 changed at once, s"] = after(start, heard) / 1000;
  figures["watcher, resident, MiB"] = mib(Math.max(...heard.map((h) => h.rss)));
}

async function cut(
  writer: Store,
  watchers: Watchers,
  proxy: Proxy,
  figures: Figures,
): Promise<void> {
  proxy.cut();
  await writer.putAll(records(CUT_CHANGES));
  await delay(CUT_MS);
  await writer.put({ key: MARK, value: "healed" });
  proxy.bytes = 0;
  const start = now();
  proxy.heal();
  const heard = await watchers.at("healed");
  figures["500 changes behind a cut of 10 s, s"] = after(start, heard) / 1000;
  figures["of that, kB to each"] = proxy.bytes / WATCHERS / 1000;
  assertKeys(heard);
  for (const { changes } of heard) {
    if (changes < CUT_CHANGES) throw new Error(`heard only ${changes}`);
  }
}

async function restart(
  name: StoreName,
  server: Server,
  data: string,
  watchers: Watchers,
  figures: Figures,
): Promise<Server> {
  await server.process.stop("SIGKILL");
  const start = now();
  const again = await startServer(name, data, server.port);
  figures["killed, answers again, s"] = (now() - start) / 1000;
  await using writer = await openStore(name, again.port);
  await writer.put({ key: MARK, value: "restarted" });
  const heard = await watchers.at("restarted");
  figures["killed, heard of again, s"] = after(start, heard) / 1000;
  assertKeys(heard);
  return again;
}

function assertKeys(heard: readonly Heard[]): void {
  for (const { keys } of heard) {
    if (keys !== RECORDS) throw new Error(`a watcher has ${keys} records`);
  }
}

async function sizeOf(folder: string): Promise<number> {
  const { stdout } = await new Deno.Command("du", { args: ["-sb", folder] })
    .output();
  return parseInt(new TextDecoder().decode(stdout));
}

function mib(bytes: number): number {
  return bytes / (1 << 20);
}

function tableOf(all: Readonly<Record<string, Figures>>): string {
  const names = Object.keys(all);
  const rows = Object.keys(all[names[0] ?? ""] ?? {});
  const cells = (row: string) =>
    names.map((name) => (all[name]?.[row] ?? NaN).toPrecision(3));
  return [
    ["", ...names],
    ["-", ...names.map(() => "-:")],
    ...rows.map((row) => [row, ...cells(row)]),
  ].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

if (import.meta.main) {
  const chosen = STORES.filter((name) =>
    Deno.args.length === 0 || Deno.args.includes(name)
  );
  const all: Record<string, Figures> = {};
  for (const name of chosen) all[name] = await measure(name);
  Deno.stdout.writeSync(new TextEncoder().encode(tableOf(all)));
}
