// Member of a cluster: a sync server and clients (sync section 1).
import type { ClusterOptions } from "../config/cluster.ts";
import type { Link } from "../health/in_step.ts";
import { parseAddress } from "../net/address.ts";
import { every } from "../net/every.ts";
import {
  formatPlace,
  formatPlaceName,
  type HostPort,
  isOnThisHost,
  isUnixSocket,
  type PlaceName,
} from "../net/place.ts";
import type { Lookup } from "../net/resolver.ts";
import type { KdPrfName } from "../satp/params.ts";
import type { ClusterReport } from "../status/report.ts";
import type { Route } from "../route/route.ts";
import { RecordApplier } from "../sync/apply.ts";
import { SyncClient } from "../sync/client.ts";
import { encodeRecord } from "../sync/encode.ts";
import { instanceId } from "../sync/extension.ts";
import { Following, type Speaker } from "../sync/following.ts";
import { Ledger } from "../sync/ledger.ts";
import { KnownMembers } from "../sync/known_members.ts";
import { Slices } from "../sync/slices.ts";
import type { Connect } from "../sync/streams.ts";
import { connectFor } from "../sync/transport.ts";
import { LOOK_MS, WholeTables } from "../sync/whole_tables.ts";
import type { Service, Starting } from "./lifecycle.ts";
import type { Frame } from "./run_program.ts";
import { SyncLedger } from "./sync_ledger.ts";
import { SyncRights } from "./sync_rights.ts";
import { SyncService, type SyncServiceWorld } from "./sync_service.ts";
import type { SyncState } from "./sync_state.ts";
import type { World } from "./world.ts";

export type SyncWorld =
  & SyncServiceWorld
  & Pick<World, "connectTcp" | "now" | "random">;

/** All control hosts are waited for: each may state what others do not. */
const CONTROL_WAIT_MS = 10_000;

/** A server that a member follows. */
export interface FollowedServer {
  readonly server: string;
  readonly isConnected: boolean;
  /** Whether it is of this program, and may tell of itself. */
  readonly isExtended: boolean;
}

/** Takes what another member says; see {@linkcode SyncMember.say}. */
export type Listener = (from: Speaker, body: string) => void;

interface SyncMemberContext extends Omit<Frame, "showManager"> {
  readonly state: SyncState;
  readonly kdPrf: KdPrfName;
  /** Of the connection that options give keys for, if they do. */
  readonly ownMux?: number | undefined;
}

export class SyncMember implements Service {
  readonly name = "sync";
  readonly #options: ClusterOptions;
  readonly #context: SyncMemberContext;
  readonly #world: SyncWorld;
  /** Connections to announce once a burst of changes is over. */
  readonly #moved = new Set<number>();
  readonly #members = new KnownMembers();
  readonly #server: SyncService | undefined;
  /** A random name, another one after each start. */
  readonly instance: string;
  readonly #ledger: SyncLedger;
  /** Of servers that only learn. */
  readonly #rights: SyncRights;
  #joined = (): void => {};
  readonly #listeners = new Map<string, Listener>();
  #clients: readonly SyncClient[] = [];
  #began = Infinity;
  /** No default, which could be less safe than what is configured. */
  #connect: Connect = () =>
    Promise.reject(new Error("Cannot connect before the start"));
  /** To those who have to show who they are. */
  readonly #connects = new Map<PlaceName, Connect>();

  constructor(
    options: ClusterOptions,
    context: SyncMemberContext,
    world: SyncWorld,
  ) {
    this.#options = options;
    this.#context = context;
    this.#world = world;
    for (const server of options.syncServers) {
      if (isUnixSocket(server)) continue;
      const { host } = server;
      const address = parseAddress(host);
      if (address !== undefined) this.#members.name(host, [address]);
    }
    const { state, kdPrf, limited, ownMux } = context;
    this.instance = instanceId(world.random);
    const common = {
      ...{ state, limited },
      ledger: new Ledger({ ...world, instance: this.instance }),
      applier: new RecordApplier(state, kdPrf, limited),
      said: (from: Speaker, kind: string, body: string) =>
        this.#listeners.get(kind)?.(from, body),
    };
    this.#rights = new SyncRights({
      ...common,
      isInformed: () => this.#isInformed(),
    });
    this.#ledger = new SyncLedger({
      ...{ ...common, ownMux },
      wake: () => this.#server?.wake(),
      settled: (mux, statement) => this.#rights.settled(mux, statement),
    });
    if (options.syncServer !== undefined) {
      this.#server = new SyncService({
        ...context,
        bind: options.syncServer,
        named: "(--sync-interface, --sync-port)",
        trust: options,
        members: this.#members,
        snapshot: () => context.state.snapshot(),
        feed: this.#ledger.feed,
        joined: () => this.#joined(),
      }, world);
    }
  }

  /**
   * @throws if the server cannot be bound
   */
  async start(starting: Starting): Promise<void> {
    const { syncServers } = this.#options;
    this.#connect = await connectFor(this.#options, this.#world, syncServers);
    for (const server of this.#named()) {
      const connect = await connectFor(
        ...[this.#options, this.#world, [server], server.host] as const,
      );
      this.#connects.set(server, connect);
    }
    await this.#server?.start(starting);
  }

  sockets(): readonly string[] {
    return this.#server?.sockets() ?? [];
  }

  async run(stop: AbortSignal): Promise<void> {
    this.#began = this.#world.elapsed();
    this.#clients = this.#newClients();
    await Promise.all([
      this.#server?.run(stop),
      ...this.#clients.map((client) => client.run(stop)),
      this.#askOthers(stop),
    ]);
  }

  close(): void {
    this.#server?.close();
  }

  /** undefined outside of a cluster. */
  status(): Omit<ClusterReport, "inStep"> | undefined {
    const { syncServers } = this.#options;
    if (this.#server === undefined && syncServers.length === 0) {
      return undefined;
    }
    const servers = this.#clients.map(({ name: server, isConnected }) => ({
      ...{ server, isConnected },
    }));
    return {
      servers,
      clients: (this.#server?.clients() ?? []).map(formatPlace),
      passedOver: this.#rights.passedOver,
    };
  }

  /** To the others that it follows. */
  links(): readonly Link[] {
    return this.#others().map(({ name, link, place }) => ({
      ...link,
      name,
      isRemote: !isOnThisHost(place),
      mayState: this.#mayState(place),
    }));
  }

  /**
   * Announces a connection that is new, or whose peer has moved. What others
   * have announced is not repeated: all members follow each other.
   */
  moved(mux: number): void {
    if (this.#server === undefined) return;
    const isFirst = this.#moved.size === 0;
    this.#moved.add(mux);
    if (isFirst) void this.#world.delay(0).then(() => this.#tell());
  }

  /** Notes a route of this member. */
  claimRoute(route: Route): void {
    this.#ledger.claimRoute(route);
  }

  /** Tells those who follow this member of a route of its own. */
  tellRoute(route: Route): void {
    this.claimRoute(route);
    this.#server?.push(encodeRecord({ command: "route", ...route }));
  }

  /** Tells members of ours that it is no more. */
  takeRouteBack(route: Route): void {
    this.#ledger.withdrawRoute(route);
    this.#server?.wake();
  }

  /**
   * Says something to all members of ours that follow this one now. It is not
   * repeated, and not for who reads too slowly.
   *
   * @param kind One word
   * @param body ASCII without control characters, 90 000 of them at most: a
   *   frame has room for 99 999
   */
  say(kind: string, body: string): void {
    this.#server?.say(kind, body);
  }

  /** Has one listener hear what members of ours say that this one follows. */
  listen(kind: string, listener: Listener): void {
    this.#listeners.set(kind, listener);
  }

  /** Has one listener hear whenever a member of ours has come to follow this one. */
  onJoined(listener: () => void): void {
    this.#joined = listener;
  }

  /** Servers that this one follows, and whether they are of this program. */
  servers(): readonly FollowedServer[] {
    return this.#others().map(({ name: server, isConnected, isExtended }) => ({
      ...{ server, isConnected, isExtended },
    }));
  }

  #tell(): void {
    for (const mux of this.#moved) {
      // It may have been removed since.
      const record = this.#context.state.connection(mux);
      if (record === undefined) continue;
      this.#ledger.moved(mux);
      this.#server?.push(record);
    }
    this.#moved.clear();
  }

  /** Who follows a single one has nobody else to ask. */
  async #askOthers(stop: AbortSignal): Promise<void> {
    if (this.#clients.length < 2) return;
    const { elapsed } = this.#world;
    const { logger } = this.#context;
    const tables = new WholeTables(this.#clients, logger, elapsed);
    await every(LOOK_MS, () => tables.look(), stop);
  }

  /**
   * Without those that say that they are this very member, which names itself
   * where all have one list. Whoever lies in that counts for no more than if it
   * was heard, and for no less than if it was lost. A control host is never the
   * member itself, and is waited for.
   */
  #others(): readonly SyncClient[] {
    const { controlHosts } = this.#options;
    return this.#clients.filter(({ isItself, place }) =>
      !isItself || controlHosts.includes(place)
    );
  }

  /** Whether what this server states counts. */
  #mayState(server: PlaceName): boolean {
    const { controlHosts, memberRights } = this.#options;
    return memberRights === "all" || controlHosts.includes(server);
  }

  /** Control hosts that have to show a certificate of this name or address. */
  #named(): readonly HostPort[] {
    const { controlHosts, memberRights, syncTls } = this.#options;
    if (memberRights === "all" || syncTls === undefined) return [];
    return controlHosts.flatMap((one) => isUnixSocket(one) ? [] : [one]);
  }

  #isInformed(): boolean {
    const stating = this.links().filter(({ mayState }) => mayState);
    const isHeard = ({ hasTable }: Link) => hasTable;
    if (stating.every(isHeard)) return true;
    const age = this.#world.elapsed() - this.#began;
    return age >= CONTROL_WAIT_MS && stating.some(isHeard);
  }

  #newClients(): SyncClient[] {
    const { delay, elapsed } = this.#world;
    const lookup: Lookup = async (host, family) => {
      const addresses = await this.#world.lookup(host, family);
      this.#members.name(host, addresses);
      return addresses;
    };
    const slices = new Slices({ delay, now: elapsed });
    return this.#options.syncServers.map((server) => {
      const name = formatPlaceName(server);
      const learner = this.#mayState(server)
        ? this.#ledger
        : this.#rights.learnerOf(name);
      return new SyncClient({
        server,
        apply: (record) => learner.put(record, undefined),
        following: new Following(name, this.instance, learner),
        connect: this.#connects.get(server) ?? this.#connect,
        lookup,
        delay,
        now: elapsed,
        log: this.#context.logger,
        slices,
      });
    });
  }
}
