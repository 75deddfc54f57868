// Follower of a fleet's store: all that it has, and then what changes, from the
// revision on that is known (docs/fleet.md, "How the control daemon follows").
import type { EtcdClient } from "../fleet/etcd_client.ts";
import type { Header, KeyValue } from "../fleet/etcd_json.ts";
import {
  CompactedError,
  OUT_OF_RANGE,
  type WatchEvent,
  type WatchMessage,
} from "../fleet/etcd_watch.ts";
import { KnownPast } from "../fleet/known_past.ts";
import { StoreError } from "../fleet/store_error.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { EitherSignal } from "../net/either.ts";
import type { World } from "./world.ts";

/** How often a member is asked whether it is there, and in a majority. */
const PROBE_MS = 5000;
/** After a failure, and twice as long after each one that follows. */
const PAUSE_MS = 250;
const MAX_PAUSE_MS = 5000;
/** Probes that find the store further than a watch that says nothing. */
const SILENT_PROBES = 24;
/** As many probes, at most, after a broken watch all is read again. */
const REVIEW_PROBES = 120;
/** Of gRPC: it takes no request with so many operations (`--max-txn-ops`). */
const INVALID_ARGUMENT = 3;
/** Of gRPC: forgotten, or more than it is set up to answer at once. */
const PAST_IS_NOT_TOLD: ReadonlySet<number | undefined> = new Set([
  OUT_OF_RANGE,
  INVALID_ARGUMENT,
]);

export interface StoreListener {
  /** All that it has now. */
  replace(entries: readonly KeyValue[]): Promise<void>;
  /** What has changed since, in order. */
  change(events: readonly WatchEvent[]): Promise<void>;
  /** All that it has told is known. */
  inStep(): void;
  lost(error: unknown): void;
}

type FollowerWorld = Pick<World, "delay" | "random">;

export class StoreFollower {
  readonly #client: EtcdClient;
  /** That all keys begin with. */
  readonly #keys: string;
  readonly #listener: StoreListener;
  readonly #world: FollowerWorld;
  readonly #limited: RateLimitedLog;
  /** How far its changes are known. */
  #known: Header | undefined;
  readonly #past = new KnownPast();
  /** Whether all is to be read again. */
  #isDue = true;
  /** Whether nothing has come between that and what is done next. */
  #isFresh = false;
  /** Probes until all is read again, for what a look at the past has missed. */
  #untilReview = Infinity;
  /** Since it has answered for a while. */
  #failures = 0;
  #session = new AbortController();

  constructor(
    client: EtcdClient,
    keys: string,
    listener: StoreListener,
    world: FollowerWorld,
    limited: RateLimitedLog,
  ) {
    this.#client = client;
    this.#keys = keys;
    this.#listener = listener;
    this.#world = world;
    this.#limited = limited;
  }

  /** Once: what it has, or that it does not answer. */
  async begin(): Promise<void> {
    try {
      await this.#readAll();
    } catch (error) {
      this.#lost(error);
      throw error;
    }
  }

  /** Reads all again. */
  restart(): void {
    this.#isDue = true;
    this.#session.abort();
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.#session = new AbortController();
      try {
        await this.#followOne(stop);
      } catch (error) {
        if (stop.aborted) return;
        if (error instanceof CompactedError) this.#forgotten(error);
        else this.#lost(error);
        await this.#pause(stop);
      }
    }
  }

  /** As long as one member answers. */
  async #followOne(stop: AbortSignal): Promise<void> {
    const header = await this.#client.header(this.#keys);
    if (this.#isDue || !await this.#isThatOf(header)) await this.#readAll();
    else this.#listener.inStep();
    this.#isFresh = false;
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
      part(this.#listen(either.signal)),
      part(this.#probe(either.signal)),
    ]);
    if (failure !== undefined) throw failure;
  }

  /**
   * Whether the store goes on from what is known. While a watch was broken it
   * may have been restored from a backup, and have counted on since: by its
   * revision and its term alone it can seem to be what it was.
   */
  async #isThatOf(header: Header): Promise<boolean> {
    const known = this.#known;
    if (known === undefined || isAnother(header, known)) return false;
    if (this.#isFresh) return true;
    const isSame = await this.#hasPast(known.revision);
    if (!isSame) {
      this.#tell(
        "another past",
        "the store's past is not what it was, or forgotten, as where it was " +
          "restored from a backup: all records are read again",
      );
    } else if (this.#untilReview === Infinity) {
      this.#untilReview = this.#chance(REVIEW_PROBES);
    }
    return isSame;
  }

  async #hasPast(revision: number): Promise<boolean> {
    try {
      return await this.#past.isThatOf(this.#client, this.#keys, revision);
    } catch (error) {
      // A member that has just begun may have no leader yet: that is no answer.
      const isAnswer = error instanceof StoreError &&
        (error.isTooLong || PAST_IS_NOT_TOLD.has(error.code));
      if (isAnswer) return false;
      throw error;
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const from = (this.#known?.revision ?? 0) + 1;
    for await (const message of this.#client.watch(this.#keys, from, signal)) {
      await this.#take(message);
    }
  }

  /**
   * A watch says nothing while nothing happens, whatever has become of it, such
   * as where a firewall has forgotten its connection. What others keep in the
   * store moves it on as well: so it is asked now and then.
   */
  async #probe(signal: AbortSignal): Promise<void> {
    const { origin } = this.#client;
    let heard = this.#known;
    let silent = 0;
    for (;;) {
      await this.#world.delay(PROBE_MS, signal);
      // As it was before: meanwhile the watch goes on.
      const known = this.#known;
      const header = await this.#client.header(this.#keys);
      this.#failures = 0;
      const isSilent = known === heard && isBehind(known, header);
      silent = isSilent ? silent + 1 : 0;
      heard = known;
      const isOver = --this.#untilReview <= 0 || silent >= SILENT_PROBES;
      if (isOver || isAnother(header, known)) this.#isDue = true;
      // Another member has answered: the watch is still with the one before.
      if (this.#isDue || this.#client.origin !== origin) return;
    }
  }

  async #readAll(): Promise<void> {
    // Whoever asks meanwhile wants another one.
    this.#isDue = false;
    try {
      const { header, entries } = await this.#client.range(this.#keys);
      await this.#listener.replace(entries);
      this.#past.replace(entries);
      this.#known = header;
    } catch (error) {
      this.#isDue = true;
      throw error;
    }
    this.#isFresh = true;
    this.#untilReview = Infinity;
    this.#listener.inStep();
  }

  async #take({ events, header, isProgress }: WatchMessage): Promise<void> {
    const { cluster } = header;
    const known = this.#known;
    if (cluster !== known?.cluster) {
      throw this.#refused("the watch is that of another store");
    }
    // It would take the place of what has come after it.
    if (events.some(({ modRevision }) => modRevision <= known.revision)) {
      throw this.#refused("the watch tells what is past");
    }
    const term = Math.max(known.term, header.term);
    let revision = isProgress
      ? Math.max(known.revision, header.revision)
      : known.revision;
    for (const event of events) {
      revision = Math.max(revision, event.modRevision);
      this.#past.note(event);
    }
    await this.#listener.change(events);
    this.#known = { cluster, revision, term };
  }

  /** All has to be read again. */
  #refused(why: string): StoreError {
    this.#isDue = true;
    return new StoreError(why);
  }

  #tell(kind: string, line: string): void {
    this.#limited.write("notice", kind, () => line);
  }

  #forgotten(error: CompactedError): void {
    this.#failures++;
    this.#isDue = true;
    this.#tell("changes forgotten", reasonOf(error));
  }

  #lost(error: unknown): void {
    this.#client.turn();
    this.#failures++;
    this.#listener.lost(error);
  }

  async #pause(stop: AbortSignal): Promise<void> {
    const ms = PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10);
    const pause = Math.min(ms, MAX_PAUSE_MS);
    await this.#world.delay(pause, stop).catch(() => {});
  }

  /** @returns 1 to `most`: control daemons do not come all at once */
  #chance(most: number): number {
    const words = new Uint32Array(1);
    this.#world.random(words);
    return 1 + (words[0] ?? 0) % most;
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
