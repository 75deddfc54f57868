// Records of a fleet from a store, which is watched (docs/fleet.md).
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { ControldOptions } from "../config/controld.ts";
import { changedFiles, type SourceOptions } from "../config/source.ts";
import { type KeyValue, shown } from "../fleet/etcd_json.ts";
import type { WatchEvent } from "../fleet/etcd_watch.ts";
import { clientsPrefix, keptValue, recordName } from "../fleet/layout.ts";
import type { Logger } from "../log/logger.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import type { OpenStore } from "./etcd.ts";
import type { FoundClient } from "./fleet_client.ts";
import type { FleetClients } from "./fleet_clients.ts";
import type { KeptClients } from "./kept_clients.ts";
import type { Starting } from "./lifecycle.ts";
import type { RecordSource } from "./record_source.ts";
import { unlessStopped } from "./stop.ts";
import { StoreFollower, type StoreListener } from "./store_follower.ts";
import type { World } from "./world.ts";

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

type StoreWorld = Pick<World, "delay" | "random"> & {
  openStore(source: SourceOptions): OpenStore;
};

export class StoreSource implements RecordSource, StoreListener {
  readonly name = "records of the store";
  readonly live = ["sourceAllowLoss"];
  readonly #setup: StoreSetup;
  readonly #world: StoreWorld;
  /** Opened while files can be read that belong to the system. */
  #store: OpenStore | undefined;
  #follower: StoreFollower | undefined;
  #mayLose: boolean;
  /** Undefined before it has answered, or not. */
  #isInStep: boolean | undefined;
  readonly #first = Promise.withResolvers<void>();
  #isQuiet = false;

  constructor(setup: StoreSetup, mayLose: boolean, world: StoreWorld) {
    this.#setup = setup;
    this.#mayLose = mayLose;
    this.#world = world;
  }

  /**
   * Asks once. A daemon that is there and says what it waits for is of more use
   * than a start that a service manager ends after its time.
   */
  async start({ stop, waiting }: Starting): Promise<void> {
    const { source, kept, clients, limited } = this.#setup;
    const { client } = this.#store = this.#world.openStore(source);
    const keys = clientsPrefix(source.prefix);
    const world = this.#world;
    const follower = new StoreFollower(client, keys, this, world, limited);
    this.#follower = follower;
    const before = kept?.read();
    if (before !== undefined) await clients.restore(before);
    // The first time all of them are new.
    this.#isQuiet = clients.size === 0;
    waiting(`the records of ${source.text} (--source)`);
    try {
      await unlessStopped(follower.begin(), stop);
    } catch {
      this.#goWithout(before !== undefined);
    }
  }

  async run(stop: AbortSignal): Promise<void> {
    const work = [this.#follower?.run(stop), this.#advance(stop)];
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
    this.#follower?.restart();
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

  async replace(entries: readonly KeyValue[]): Promise<void> {
    const { clients, logger, source, kept } = this.#setup;
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
    const isQuiet = this.#isQuiet;
    this.#isQuiet = false;
    if (await clients.settle({ isQuiet }) > 0) kept?.ask();
    this.#knows();
    if (held > 0) this.#tellOfHeld(held, all.size);
    if (!this.#isInStep) {
      logger.notice(`serving ${clients.size} clients of ${source.text}`);
    }
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

  async change(events: readonly WatchEvent[]): Promise<void> {
    const { clients, kept } = this.#setup;
    for (const event of events) this.#note(event);
    if (await clients.settle() > 0) kept?.ask();
  }

  #note({ key, value, createRevision, isDeleted }: WatchEvent): void {
    const name = this.#nameOf(key);
    if (name === undefined) return;
    if (isDeleted) this.#setup.clients.delete(name);
    else this.#setup.clients.put(name, keptValue(value), createRevision);
  }

  #nameOf(key: string): ReturnType<typeof recordName> {
    const { source: { prefix }, limited } = this.#setup;
    const name = recordName(prefix, key);
    if (name !== undefined) return name;
    limited.write(
      "warning",
      "key of no client",
      () =>
        `'${shown(key)}' (--source) is passed over: it is no key of a client`,
    );
    return undefined;
  }

  inStep(): void {
    const { limited, showManager, source } = this.#setup;
    if (this.#isInStep === false) {
      limited.write("notice", "answer", () => `${source.text} answers again`);
    }
    if (!this.#isInStep) showManager(`in step with ${source.text}`);
    this.#isInStep = true;
  }

  lost(error: unknown): void {
    const { limited, showManager, source } = this.#setup;
    if (this.#isInStep === false) return;
    this.#isInStep = false;
    showManager(`without an answer of ${source.text}`);
    limited.write(
      "warning",
      "no answer",
      () =>
        `Cannot follow ${source.text} (--source): ${
          reasonOf(error)
        }; what is ` +
        "known stays in use, and it is tried again",
    );
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
