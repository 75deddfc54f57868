// The sync server of a daemon, from its sockets to its last client.
import type { Identity } from "../../ffi/process/identity.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { isUnixSocket, type Place, type PlaceName } from "../net/place.ts";
import type { Lookup } from "../net/resolver.ts";
import { bindSync } from "../sync/bind.ts";
import type { Feed } from "../sync/feed.ts";
import type { KnownMembers } from "../sync/known_members.ts";
import { SyncServer } from "../sync/server.ts";
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

  async #bind(starting: Starting): ReturnType<typeof bindSync> {
    const { bind, named, trust, identity, logger } = this.#setup;
    const { members, known, limited: log } = this.#setup;
    const { delay, elapsed: now, listenTcp } = this.#world;
    const surroundings = { members, delay, now, log };
    const isLater = known !== undefined;
    const listen = await listenFor(
      trust,
      { ...this.#world, listenTcp: (on) => listenTcp(on, isLater) },
      identity,
      surroundings,
    );
    const lookup = this.#lookup(starting);
    try {
      return await bindSync(bind, listen, lookup, logger);
    } catch (cause) {
      throw new Error(`${reasonOf(cause)} ${named}`, { cause });
    }
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
