// Records of a fleet from a store, which is watched (docs/fleet.md).
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { ControldOptions } from "../config/controld.ts";
import { changedFiles, type SourceOptions } from "../config/source.ts";
import { StoreError } from "../fleet/store_error.ts";
import type { EtcdClient, Range } from "../fleet/etcd_client.ts";
import { type Header, shown } from "../fleet/etcd_json.ts";
import {
  CompactedError,
  type WatchEvent,
  type WatchMessage,
} from "../fleet/etcd_watch.ts";
import { clientsPrefix, keptValue, recordName } from "../fleet/layout.ts";
import type { Logger } from "../log/logger.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { EitherSignal } from "../net/either.ts";
import type { OpenStore } from "./etcd.ts";
import type { FoundClient } from "./fleet_client.ts";
import type { FleetClients } from "./fleet_clients.ts";
import type { KeptClients } from "./kept_clients.ts";
import type { Starting } from "./lifecycle.ts";
import type { RecordSource } from "./record_source.ts";
import { unlessStopped } from "./stop.ts";
import type { World } from "./world.ts";

/** How often a member is asked whether it is there, and in a majority. */
const PROBE_MS = 5000;
/** After a failure, and twice as long after each one that follows. */
const PAUSE_MS = 250;
const MAX_PAUSE_MS = 5000;
/** Probes that find the store further than a watch that says nothing. */
const SILENT_PROBES = 24;
/** How often keys are looked at that begin with an epoch. */
const EPOCH_MS = 2000;

interface StoreSetup {
  readonly source: SourceOptions;
  readonly clients: FleetClients;
  /** Undefined if nothing is kept, as is what is kept in it. */
  readonly folder: Pick<StateFolder, "descriptor" | "close"> | undefined;
  readonly kept: KeptClients | undefined;
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
  /** Has the service manager show this. */
  readonly showManager: (text: string) => void;
}

type StoreWorld = Pick<World, "delay"> & {
  openStore(source: SourceOptions): OpenStore;
};

export class StoreSource implements RecordSource {
  readonly name = "records of the store";
  readonly live = ["sourceAllowLoss"];
  readonly #setup: StoreSetup;
  readonly #world: StoreWorld;
  readonly #prefix: string;
  /** Opened while files can be read that belong to the system. */
  #store: OpenStore | undefined;
  /** How far its changes are known. */
  #known: Header | undefined;
  #mayLose: boolean;
  #isDue = true;
  #isInStep = false;
  readonly #first = Promise.withResolvers<void>();
  #failures = 0;
  #session = new AbortController();

  constructor(setup: StoreSetup, mayLose: boolean, world: StoreWorld) {
    this.#setup = setup;
    this.#mayLose = mayLose;
    this.#world = world;
    this.#prefix = setup.source.prefix;
  }

  /**
   * Asks once. A daemon that is there and says what it waits for is of more use
   * than a start that a service manager ends after its time.
   */
  async start({ stop, waiting }: Starting): Promise<void> {
    const { source, kept, clients } = this.#setup;
    const { client } = this.#store = this.#world.openStore(source);
    const before = kept?.read();
    if (before !== undefined) await clients.restore(before);
    waiting(`the records of ${source.text} (--source)`);
    try {
      await unlessStopped(this.#readAll(client), stop);
    } catch (error) {
      this.#lost(client, error);
      this.#goWithout(before !== undefined);
    }
  }

  async run(stop: AbortSignal): Promise<void> {
    const work = [this.#follow(stop), this.#advance(stop)];
    // Nobody waits for a store that does not answer.
    await unlessStopped(Promise.all(work), stop);
  }

  folders(): readonly number[] {
    const { folder } = this.#setup;
    return folder === undefined ? [] : [folder.descriptor];
  }

  reload(
    { source, sourceAllowLoss }: Pick<
      ControldOptions,
      "source" | "sourceAllowLoss"
    >,
  ): void {
    for (const name of changedFiles(this.#setup.source, source)) {
      this.#setup.logger.warning(
        `the file of ${name} has changed: takes effect at the next start`,
      );
    }
    this.#mayLose = sourceAllowLoss;
    this.#isDue = true;
    this.#session.abort();
  }

  report(): readonly string[] {
    const { clients, source } = this.#setup;
    const held = clients.held === 0
      ? ""
      : `, ${clients.held} of which it has no more`;
    const step = this.#isInStep ? "in step with" : "without an answer of";
    return [`serving ${clients.size} clients, ${step} ${source.text}${held}`];
  }

  get known(): Promise<void> {
    return this.#first.promise;
  }

  /** As kept on disk: who was removed since may be among them. */
  get isStale(): boolean {
    return !this.#isInStep;
  }

  snapshot(): readonly string[] {
    return this.#setup.clients.snapshot();
  }

  close(): void {
    this.#setup.kept?.flush();
    this.#setup.folder?.close();
    this.#store?.[Symbol.dispose]();
  }

  #goWithout(hasKept: boolean): void {
    const { clients, logger, showManager, source } = this.#setup;
    const until = `until ${source.text} (--source) answers`;
    if (!hasKept) {
      logger.warning(
        `no clients are kept on disk: no server is let in ${until}`,
      );
      return showManager(`waiting for the clients of ${source.text}`);
    }
    const { size } = clients;
    logger.warning(
      `serving ${size} clients as they were kept on disk, ${until}`,
    );
    this.#knows();
  }

  /** From now on all changes are told. */
  #knows(): void {
    this.#setup.clients.open();
    this.#first.resolve();
  }

  async #follow(stop: AbortSignal): Promise<void> {
    const client = this.#store?.client;
    while (client !== undefined && !stop.aborted) {
      this.#session = new AbortController();
      try {
        await this.#followOne(client, stop);
      } catch (error) {
        if (stop.aborted) return;
        if (error instanceof CompactedError) {
          this.#isDue = true;
          this.#tellOfForgotten(error);
          await this.#world.delay(PAUSE_MS, stop).catch(() => {});
          continue;
        }
        this.#lost(client, error);
        await this.#pause(stop);
      }
    }
  }

  /** As long as one member answers. */
  async #followOne(client: EtcdClient, stop: AbortSignal): Promise<void> {
    const known = this.#known;
    const header = await client.header(clientsPrefix(this.#prefix));
    if (this.#isDue || isAnother(header, known)) await this.#readAll(client);
    else this.#inStep();
    const ended = new AbortController();
    using either = new EitherSignal(stop, this.#session.signal, ended.signal);
    let failure: unknown;
    const part = async (work: Promise<void>) => {
      try {
        await work;
      } catch (error) {
        if (!either.signal.aborted) failure = error;
      } finally {
        ended.abort();
      }
    };
    await Promise.all([
      part(this.#listen(client, either.signal)),
      part(this.#probe(client, either.signal)),
    ]);
    if (failure !== undefined) throw failure;
  }

  async #listen(client: EtcdClient, signal: AbortSignal): Promise<void> {
    const from = (this.#known?.revision ?? 0) + 1;
    const keys = clientsPrefix(this.#prefix);
    for await (const message of client.watch(keys, from, signal)) {
      await this.#take(message);
    }
  }

  /**
   * A watch says nothing while nothing happens, whatever has become of it, such
   * as where a firewall has forgotten its connection. What others keep in the
   * store moves it on as well: so it is asked now and then.
   */
  async #probe(client: EtcdClient, signal: AbortSignal): Promise<void> {
    const { origin } = client;
    let heard = this.#known;
    let silent = 0;
    for (;;) {
      await this.#world.delay(PROBE_MS, signal);
      // As it was before: meanwhile the watch goes on.
      const known = this.#known;
      const header = await client.header(clientsPrefix(this.#prefix));
      const isSilent = known === heard && isBehind(known, header);
      silent = isSilent ? silent + 1 : 0;
      heard = known;
      if (isAnother(header, known) || silent >= SILENT_PROBES) {
        this.#isDue = true;
      }
      // Another member has answered: the watch is still with the one before.
      if (this.#isDue || client.origin !== origin) return;
    }
  }

  async #readAll(client: EtcdClient): Promise<void> {
    const { clients, logger, source, kept } = this.#setup;
    const { header, entries } = await this.#range(client);
    const all = new Map<string, Partial<FoundClient>>();
    for (const { key, value, createRevision: created } of entries) {
      const name = this.#nameOf(key);
      if (name === undefined) continue;
      const before = all.get(name.client);
      const part = name.part === "chain"
        ? { chain: value }
        : { text: value, created };
      all.set(name.client, { ...before, ...part });
    }
    const held = clients.replace(all, this.#mayLose);
    // The first time all of them are new.
    const isQuiet = this.#known === undefined && clients.size === 0;
    if (await clients.settle({ isQuiet }) > 0) kept?.ask();
    this.#known = header;
    this.#knows();
    if (held > 0) this.#tellOfHeld(held, all.size);
    if (!this.#isInStep) {
      logger.notice(`serving ${clients.size} clients of ${source.text}`);
    }
    this.#inStep();
  }

  async #range(client: EtcdClient): Promise<Range> {
    // Whoever asks meanwhile wants another one.
    this.#isDue = false;
    try {
      return await client.range(clientsPrefix(this.#prefix));
    } catch (error) {
      this.#isDue = true;
      throw error;
    }
  }

  #tellOfForgotten(error: CompactedError): void {
    const { limited } = this.#setup;
    limited.write("notice", "changes forgotten", () => reasonOf(error));
  }

  #tellOfHeld(held: number, left: number): void {
    const { logger, source, clients } = this.#setup;
    logger.error(
      `${source.text} (--source) lacks ${held} of ${clients.size} clients, ` +
        `and has ${left}: these ${held} stay, since a store that has lost ` +
        "its data looks like that; if they are meant to go, use " +
        "--source-allow-loss and HUP",
    );
  }

  async #take({ events, header, isProgress }: WatchMessage): Promise<void> {
    const { clients, kept } = this.#setup;
    const { cluster } = header;
    if (cluster !== this.#known?.cluster) {
      this.#isDue = true;
      throw new StoreError("the watch is that of another store");
    }
    const term = Math.max(this.#known.term, header.term);
    let { revision } = this.#known;
    if (isProgress) revision = Math.max(revision, header.revision);
    for (const event of events) {
      revision = Math.max(revision, event.modRevision);
      this.#note(event);
    }
    if (await clients.settle() > 0) kept?.ask();
    this.#known = { cluster, revision, term };
  }

  #note({ key, value, createRevision, isDeleted }: WatchEvent): void {
    const name = this.#nameOf(key);
    if (name === undefined) return;
    if (isDeleted) this.#setup.clients.delete(name);
    else this.#setup.clients.put(name, keptValue(value), createRevision);
  }

  #nameOf(key: string): ReturnType<typeof recordName> {
    const name = recordName(this.#prefix, key);
    if (name !== undefined) return name;
    this.#setup.limited.write(
      "warning",
      "key of no client",
      () =>
        `'${shown(key)}' (--source) is passed over: it is no key of a client`,
    );
    return undefined;
  }

  #inStep(): void {
    const { logger, showManager, source } = this.#setup;
    if (this.#failures > 0) logger.notice(`${source.text} answers again`);
    this.#failures = 0;
    if (!this.#isInStep) showManager(`in step with ${source.text}`);
    this.#isInStep = true;
  }

  #lost(client: EtcdClient, error: unknown): void {
    const { logger, showManager, source } = this.#setup;
    this.#isInStep = false;
    client.turn();
    if (this.#failures++ > 0) return;
    showManager(`without an answer of ${source.text}`);
    logger.warning(
      `Cannot follow ${source.text} (--source): ${reasonOf(error)}; what is ` +
        "known stays in use, and it is tried again",
    );
  }

  async #pause(stop: AbortSignal): Promise<void> {
    const ms = PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10);
    const pause = Math.min(ms, MAX_PAUSE_MS);
    await this.#world.delay(pause, stop).catch(() => {});
  }

  async #advance(stop: AbortSignal): Promise<void> {
    const { clients } = this.#setup;
    while (!stop.aborted) {
      const ms = clients.untilNext(EPOCH_MS);
      await this.#world.delay(ms, stop).catch(() => {});
      if (!stop.aborted) clients.advance();
    }
  }
}

/** Whether what is known is not of the store that it was, or of its past. */
function isAnother(
  { cluster, revision, term }: Header,
  known?: Header,
): boolean {
  return known === undefined || cluster !== known.cluster ||
    revision < known.revision || term < known.term;
}

function isBehind(known: Header | undefined, { revision }: Header): boolean {
  return known !== undefined && known.revision < revision;
}
