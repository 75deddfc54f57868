/**
 * This daemon as a member of a cluster: a sync server for others, and a client
 * of each server that it was told of (sync section 1).
 *
 * @module
 */
import type { ClusterOptions } from "../config/cluster.ts";
import type { Logger } from "../log/logger.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { parseAddress } from "../net/address.ts";
import { isUnixSocket } from "../net/place.ts";
import type { Lookup } from "../net/resolver.ts";
import type { KdPrfName } from "../satp/params.ts";
import { RecordApplier } from "../sync/apply.ts";
import { bindSync } from "../sync/bind.ts";
import { SyncClient } from "../sync/client.ts";
import { KnownMembers } from "../sync/known_members.ts";
import { SyncServer } from "../sync/server.ts";
import type { Connect } from "../sync/streams.ts";
import { connectFor, listenFor } from "../sync/transport.ts";
import { keepFlushing } from "./flush_log.ts";
import type { Identity } from "./process_control.ts";
import type { SyncState } from "./sync_state.ts";
import type { World } from "./world.ts";

/** Lines about records of one kind: a handful, then one every ten seconds. */
export const SYNC_LOG_LIMIT = { burst: 5, perSecond: 0.1 };

/** What of the outside a member touches. */
export type SyncWorld = Pick<
  World,
  | "listenTcp"
  | "connectTcp"
  | "openUnixStreams"
  | "openOwners"
  | "effectiveUser"
  | "lookup"
  | "delay"
  | "elapsed"
>;

/** Tells and is told. */
export class SyncMember {
  readonly #options: ClusterOptions;
  readonly #state: SyncState;
  readonly #world: SyncWorld;
  readonly #logger: Logger;
  readonly #limited: RateLimitedLog;
  /** Connections to be told of, once a burst of changes is over. */
  readonly #moved = new Set<number>();
  readonly #members = new KnownMembers();
  #server: SyncServer | undefined;
  /** Never in another way by mistake: there is none until it is known. */
  #connect: Connect = () =>
    Promise.reject(new Error("Cannot connect before open()"));

  /** @param limited For what others could fill the log with */
  constructor(
    options: ClusterOptions,
    state: SyncState,
    world: SyncWorld,
    logger: Logger,
    limited: RateLimitedLog,
  ) {
    this.#options = options;
    this.#state = state;
    this.#world = world;
    this.#logger = logger;
    this.#limited = limited;
    for (const server of options.syncServers) {
      if (isUnixSocket(server)) continue;
      const { host } = server;
      const address = parseAddress(host);
      if (address !== undefined) this.#members.name(host, [address]);
    }
  }

  /**
   * Gets ready to connect, and opens the port or the socket of the server if
   * there is to be one.
   *
   * @param identity Whom the daemon will become, if that is to change
   * @throws if it cannot be bound
   */
  async open(identity?: Identity): Promise<void> {
    const { syncServer, syncServers } = this.#options;
    const { lookup, delay, elapsed } = this.#world;
    const options = this.#options;
    this.#connect = await connectFor(options, this.#world, syncServers);
    if (syncServer === undefined) return;
    const listeners = await bindSync(
      syncServer,
      await listenFor(options, this.#world, identity, {
        members: this.#members,
        delay,
        now: elapsed,
        log: this.#limited,
      }),
      lookup,
      this.#logger,
    ).catch((cause: Error) => {
      const options = "(--sync-interface, --sync-port)";
      throw new Error(`${cause.message} ${options}`, { cause });
    });
    this.#server = new SyncServer({
      listeners,
      snapshot: () => this.#state.snapshot(),
      delay,
      log: this.#limited,
      isMember: (source) => this.#members.has(source),
    });
  }

  /** Closes the server where {@linkcode run} does not come to it. */
  close(): void {
    this.#server?.close();
  }

  /**
   * Serves and follows until the signal is aborted.
   *
   * @param kdPrf The key derivation of this daemon
   */
  async run(kdPrf: KdPrfName, signal: AbortSignal): Promise<void> {
    const applier = new RecordApplier(this.#state, kdPrf, this.#limited);
    await Promise.all([
      keepFlushing(this.#limited, this.#world.delay, signal),
      this.#server?.run(signal),
      ...this.#clients(applier).map((client) => client.run(signal)),
    ]);
  }

  /**
   * Tells others of a connection that has come to be, or whose peer is heard
   * from elsewhere. What others have told is not told again: members follow
   * each other, all of them.
   */
  moved(mux: number): void {
    if (this.#server === undefined) return;
    const isFirst = this.#moved.size === 0;
    this.#moved.add(mux);
    if (isFirst) void this.#world.delay(0).then(() => this.#tell());
  }

  #tell(): void {
    for (const mux of this.#moved) {
      // It may have been removed since.
      const record = this.#state.connection(mux);
      if (record !== undefined) this.#server?.push(record);
    }
    this.#moved.clear();
  }

  #clients(applier: RecordApplier): SyncClient[] {
    const { delay, elapsed } = this.#world;
    const connect = this.#connect;
    const lookup: Lookup = async (host, family) => {
      const addresses = await this.#world.lookup(host, family);
      this.#members.name(host, addresses);
      return addresses;
    };
    return this.#options.syncServers.map((server) =>
      new SyncClient({
        server,
        apply: (record) => applier.apply(record),
        connect,
        lookup,
        delay,
        now: elapsed,
        log: this.#logger,
      })
    );
  }
}
