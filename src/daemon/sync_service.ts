// The sync server of a daemon, from its sockets to its last client.
import type { Identity } from "../../ffi/process/identity.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { isUnixSocket, type Place, type PlaceName } from "../net/place.ts";
import type { Lookup } from "../net/resolver.ts";
import { announceSync, bindSync, listenSync } from "../sync/bind.ts";
import type { Feed } from "../sync/feed.ts";
import type { KnownMembers } from "../sync/known_members.ts";
import { SyncServer } from "../sync/server.ts";
import type { SyncListener, TcpSyncListener } from "../sync/streams.ts";
import { listenFor, type SyncTrust } from "../sync/transport.ts";
import type { Service, Starting } from "./lifecycle.ts";
import { unlessStopped } from "./stop.ts";
import type { World } from "./world.ts";

export type SyncServiceWorld = Pick<
  World,
  | "delay"
  | "effectiveUser"
  | "elapsed"
  | "every"
  | "listenTcp"
  | "lookup"
  | "openOwners"
  | "openUnixStreams"
>;

interface SyncServiceSetup {
  readonly bind: PlaceName;
  /** Names of the options for `bind`, in parentheses. */
  readonly named: string;
  readonly trust: SyncTrust;
  /** That the daemon changes to, if it does. */
  readonly identity: Identity | undefined;
  readonly members: KnownMembers;
  readonly snapshot: () => readonly string[];
  /** For members of ours. */
  readonly feed: Feed;
  /** A member of ours has come, and gets what is said from now on. */
  readonly joined?: () => void;
  readonly maxWaiting?: number;
  /**
   * Nobody is let in before this. By TCP they are refused until then, so that one
   * who knows several addresses goes on to the next.
   */
  readonly known?: Promise<void> | undefined;
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

/** A {@link SyncServer} as a service. */
export class SyncService implements Service {
  readonly name = "sync server";
  readonly #setup: SyncServiceSetup;
  readonly #world: SyncServiceWorld;
  #server: SyncServer | undefined;
  #listeners: readonly SyncListener[] = [];
  /** Of those, as they are below TLS, which are to listen later. */
  readonly #later: TcpSyncListener[] = [];

  constructor(setup: SyncServiceSetup, world: SyncServiceWorld) {
    this.#setup = setup;
    this.#world = world;
  }

  /** @throws if it cannot be bound */
  async start(starting: Starting): Promise<void> {
    const { members, snapshot, feed, joined, maxWaiting, limited: log } =
      this.#setup;
    const { delay, every } = this.#world;
    const { stop } = starting;
    const listeners = await unlessStopped(this.#bind(starting), stop);
    if (listeners === undefined) return;
    this.#listeners = listeners;
    if (this.#later.length === 0) this.#announce();
    this.#server = new SyncServer({
      ...{ listeners, snapshot, feed, joined, delay, every, log },
      isMember: (source) => members.has(source),
      ...(maxWaiting === undefined ? {} : { maxWaiting }),
    });
  }

  sockets(): readonly string[] {
    const { bind } = this.#setup;
    return isUnixSocket(bind) ? [bind.path] : [];
  }

  async run(stop: AbortSignal): Promise<void> {
    const { known } = this.#setup;
    if (known !== undefined) await unlessStopped(known, stop);
    if (!stop.aborted) this.#listen();
    await this.#server?.run(stop);
  }

  close(): void {
    this.#server?.close();
  }

  clients(): readonly Place[] {
    return this.#server?.clients() ?? [];
  }

  push(record: string): void {
    this.#server?.push(record);
  }

  /** There is something new in the feed. */
  wake(): void {
    this.#server?.wake();
  }

  say(kind: string, body: string): void {
    this.#server?.say(kind, body);
  }

  /** @throws if another program has been faster */
  #listen(): void {
    if (this.#later.length === 0) return;
    try {
      listenSync(this.#later);
    } catch (cause) {
      throw this.#named(cause);
    }
    this.#announce();
  }

  #named(cause: unknown): Error {
    return new Error(`${reasonOf(cause)} ${this.#setup.named}`, { cause });
  }

  #announce(): void {
    for (const each of this.#listeners) announceSync(each, this.#setup.logger);
  }

  async #bind(starting: Starting): ReturnType<typeof bindSync> {
    const { bind, trust, identity, members, limited: log } = this.#setup;
    const { delay, elapsed: now } = this.#world;
    const surroundings = { members, delay, now, log };
    const listen = await listenFor(
      trust,
      { ...this.#world, listenTcp: (on) => this.#listenTcp(on) },
      identity,
      surroundings,
    );
    const lookup = this.#lookup(starting);
    try {
      return await bindSync(bind, listen, lookup);
    } catch (cause) {
      throw this.#named(cause);
    }
  }

  #listenTcp(on: Endpoint): TcpSyncListener {
    const isLater = this.#setup.known !== undefined;
    const listener = this.#world.listenTcp(on, isLater);
    if (isLater) this.#later.push(listener);
    return listener;
  }

  /** Binds nothing if the daemon was stopped during the lookup. */
  #lookup({ stop, waiting }: Starting): Lookup {
    return async (host, family) => {
      waiting(`an address of '${host}' ${this.#setup.named}`);
      const addresses = await this.#world.lookup(host, family);
      stop.throwIfAborted();
      return addresses;
    };
  }
}
