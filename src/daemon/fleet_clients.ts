// The clients of a fleet that a control daemon serves, and what a change in the
// store changes of them.
import { reasonOf } from "../log/reason.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { clientKey, type RecordName } from "../fleet/layout.ts";
import {
  type FleetClient,
  fleetClient,
  type FleetWorld,
  type FoundClient,
} from "./fleet_client.ts";
import type { Kept } from "./kept_clients.ts";
import type { RecordSink } from "./record_source.ts";

type Parts = Partial<FoundClient>;

/** Twice as many as there are muxes: whatever a store tells. */
const MAX_NAMES = 2 << 16;

/** As many may be missing at once, or half of them. */
const FEW = 10;

export class FleetClients {
  readonly #prefix: string;
  readonly #told: RecordSink;
  #sink: RecordSink;
  readonly #world: FleetWorld;
  readonly #log: RateLimitedLog;
  /** As the store has them. */
  #found = new Map<string, Parts>();
  readonly #served = new Map<string, FleetClient>();
  /** What those that are served are made of. */
  readonly #used = new Map<string, FoundClient>();
  readonly #owners = new Map<number, string>();
  /** By the mux that another one has. */
  readonly #waiting = new Map<number, Set<string>>();
  readonly #due = new Set<string>();
  /** Served, though the store has them no more. */
  #held = new Set<string>();
  /** Whether others are held than when it was settled last. */
  #isHeldNew = false;
  #isQuiet = false;

  constructor(
    prefix: string,
    sink: RecordSink,
    world: FleetWorld,
    log: RateLimitedLog,
  ) {
    this.#prefix = prefix;
    this.#told = sink;
    // Whoever asks gets all that is there. What was kept and is no more was told
    // of by the process before, and nobody else knows that it has gone.
    this.#sink = { push: () => {}, remove: (record) => sink.remove(record) };
    this.#world = world;
    this.#log = log;
  }

  get size(): number {
    return this.#served.size;
  }

  /** How many are served though the store has them no more. */
  get held(): number {
    return this.#held.size;
  }

  /** From now on all changes are told, and not only what is gone. */
  open(): void {
    this.#sink = this.#told;
  }

  snapshot(): readonly string[] {
    return [...this.#served.values()]
      .flatMap(({ connection, routes }) => [connection, ...routes]);
  }

  /** What a start without the store, or with one that has lost them, needs. */
  get kept(): Kept {
    return { clients: this.#used, held: this.#held };
  }

  /** Serves what was kept; whom the store had no more stays held. */
  async restore({ clients, held }: Kept): Promise<void> {
    this.replace(clients, true);
    await this.settle({ isQuiet: true });
    this.#held = new Set(held).intersection(this.#served);
  }

  /** What is served, as it was found. */
  used(): ReadonlyMap<string, FoundClient> {
    return this.#used;
  }

  put(
    { client, part }: RecordName,
    value: string,
    created: number,
  ): void {
    const before = this.#found.get(client);
    if (before === undefined && this.#found.size >= MAX_NAMES) {
      const line = () => `there is no room for client ${client}`;
      return this.#log.write("error", "too many clients", line);
    }
    const after = part === "chain"
      ? { ...before, chain: value }
      : { ...before, text: value, created };
    this.#found.set(client, after);
    this.#release(client);
    this.#due.add(client);
  }

  delete({ client, part }: RecordName): void {
    const { text, created = 0, chain } = this.#found.get(client) ?? {};
    const left: Parts = part === "chain"
      ? { ...(text === undefined ? {} : { text, created }) }
      : { ...(chain === undefined ? {} : { chain }) };
    if (Object.keys(left).length > 0) this.#found.set(client, left);
    else this.#found.delete(client);
    this.#due.add(client);
  }

  /**
   * All that the store has now, in place of what was found before. Where it
   * lacks all clients, or more than half of many, it has more likely lost them
   * than somebody has removed them: then these stay, also when some are back.
   * @returns How many of them stay
   */
  replace(all: ReadonlyMap<string, Parts>, mayLose: boolean): number {
    for (const name of this.#served.keys()) {
      if (!isSame(all.get(name), this.#found.get(name))) this.#due.add(name);
    }
    for (const [name, parts] of all) {
      if (!isSame(parts, this.#found.get(name))) this.#due.add(name);
    }
    for (const name of this.#held) this.#due.add(name);
    this.#found = new Map(all);
    const held = mayLose ? new Set<string>() : this.#lost();
    if (held.symmetricDifference(this.#held).size > 0) this.#isHeldNew = true;
    this.#held = held;
    return held.size;
  }

  #release(name: string): void {
    if (this.#held.delete(name)) this.#isHeldNew = true;
  }

  #lost(): Set<string> {
    const { size } = this.#served;
    const missing = [...this.#served.keys()]
      .filter((name) => this.#found.get(name)?.text === undefined);
    const before = missing.filter((name) => this.#held.has(name));
    const fresh = missing.length - before.length;
    const isLoss = missing.length === size || fresh > Math.max(FEW, size / 2);
    return new Set(isLoss ? missing : before);
  }

  /**
   * Serves what has changed since.
   * @param isQuiet Whether nothing is said of each
   * @returns How many clients it was, and one more where others are held
   */
  async settle({ isQuiet = false } = {}): Promise<number> {
    this.#isQuiet = isQuiet;
    let changes = 0;
    // One that goes may make room for another.
    for (const name of this.#due) {
      this.#due.delete(name);
      if (await this.#settle(name)) changes++;
    }
    if (this.#isHeldNew) changes++;
    this.#isHeldNew = false;
    return changes;
  }

  /** Tells of keys that have begun with an epoch. */
  advance(): void {
    const now = this.#world.now();
    for (const client of this.#served.values()) {
      const text = client.chain?.text(now) ?? client.connection;
      if (text === client.connection) continue;
      client.connection = text;
      this.#sink.push(text);
    }
  }

  /** Milliseconds until an epoch begins, at most `longest`. */
  untilNext(longest: number): number {
    const now = this.#world.now();
    return this.#served.values().reduce(
      (ms, { chain }) => Math.min(ms, chain?.untilNext(now) ?? ms),
      longest,
    );
  }

  async #settle(name: string): Promise<boolean> {
    const { text, chain, created = 0 } = this.#found.get(name) ?? {};
    if (text === undefined) {
      if (this.#held.has(name)) return false;
      return this.#remove(name);
    }
    const found = { text, chain, created };
    if (isSame(found, this.#used.get(name))) return false;
    const path = clientKey(this.#prefix, name);
    try {
      const client = await fleetClient(name, path, found, this.#world);
      return this.#place(client, found);
    } catch (error) {
      const stays = this.#served.has(name) ? "; what it had before stays" : "";
      const reason = reasonOf(error).replaceAll("\n", "; ");
      const line = () => `Cannot use a record: ${reason}${stays}`;
      this.#log.write("error", "bad record", line);
      return false;
    }
  }

  #place(client: FleetClient, found: FoundClient): boolean {
    const { name, mux } = client;
    const other = this.#served.get(this.#owners.get(mux) ?? "");
    if (other !== undefined && other.name !== name) {
      const loser = isOlder(other, client) ? client : other;
      this.#wait(mux, loser.name, loser === client ? other.name : name);
      if (loser === client) return false;
      this.#remove(other.name);
    }
    const before = this.#served.get(name);
    if (before !== undefined && before.mux !== mux) this.#remove(name);
    this.#served.set(name, client);
    this.#used.set(name, found);
    this.#owners.set(mux, name);
    this.#tell(before?.mux === mux ? before : undefined, client);
    // Made anew it may be younger than one that has waited for its mux.
    if (before !== undefined && isOlder(before, client)) this.#wake(mux);
    const what = before === undefined ? "new" : "changed";
    this.#say(client, what);
    return true;
  }

  /** Of the same mux. */
  #tell(before: FleetClient | undefined, after: FleetClient): void {
    before?.chain?.erase();
    const old = new Set(before?.routes);
    const fresh = new Set(after.routes);
    for (const route of old.difference(fresh)) this.#sink.remove(route);
    if (before?.connection !== after.connection) {
      this.#sink.push(after.connection);
    }
    for (const route of fresh.difference(old)) this.#sink.push(route);
  }

  #remove(name: string): boolean {
    const client = this.#served.get(name);
    if (client === undefined) return false;
    const { mux, connection, routes, chain } = client;
    this.#served.delete(name);
    this.#used.delete(name);
    this.#owners.delete(mux);
    this.#release(name);
    for (const route of routes) this.#sink.remove(route);
    this.#sink.remove(connection);
    chain?.erase();
    this.#say(client, "gone");
    this.#wake(mux);
    return true;
  }

  /** Who has waited for this mux is looked at again. */
  #wake(mux: number): void {
    for (const next of this.#waiting.get(mux) ?? []) this.#due.add(next);
    this.#waiting.delete(mux);
  }

  #say({ name, mux }: FleetClient, what: "new" | "changed" | "gone"): void {
    if (this.#isQuiet) return;
    const line = () => `client ${name} (connection ${mux}) is ${what}`;
    this.#log.write("notice", `client that is ${what}`, line);
  }

  #wait(mux: number, name: string, owner: string): void {
    const waiting = this.#waiting.get(mux) ?? new Set();
    this.#waiting.set(mux, waiting.add(name));
    this.#log.write(
      "error",
      "mux of two clients",
      () =>
        `Cannot use the record ${clientKey(this.#prefix, name)}: its mux ` +
        `${mux} is that of client ${owner}, which is older`,
    );
  }
}

function isOlder(a: FleetClient, b: FleetClient): boolean {
  if (a.created !== b.created) return a.created < b.created;
  return a.name < b.name;
}

function isSame(a: Parts | undefined, b: Parts | undefined): boolean {
  return a?.text === b?.text && a?.chain === b?.chain &&
    a?.created === b?.created;
}
