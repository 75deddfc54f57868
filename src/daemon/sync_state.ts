// Connections and routes of a daemon as records of the sync protocol.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { formatAddress, type IpAddress } from "../net/address.ts";
import { CollectedWork } from "../net/collected_work.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { Delay } from "../net/delay.ts";
import { type InterfaceIndex, withNumericZone } from "../net/zone.ts";
import type { Route } from "../route/route.ts";
import { Routes } from "../route/routes.ts";
import type { RouteTable } from "../route/table.ts";
import { sameSecrets, wipeSecrets } from "../satp/secrets.ts";
import type { LearntConnection, LearntPeer, SyncSink } from "../sync/apply.ts";
import { encodeRecord } from "../sync/encode.ts";
import { statementOf } from "../sync/statement.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { endpointOf, putEndpoint } from "../tunnel/endpoint_words.ts";
import type { LeavingKeys } from "../tunnel/leaving_keys.ts";

/** Each change is published as a whole, and routes come by the thousand. */
const COLLECT_MS = 10;

/** Stands for an unknown endpoint (sync section 2.1). */
const UNKNOWN: Endpoint = {
  address: { family: 4, bytes: new Uint8Array(4) },
  port: 0,
};

interface SyncStateOptions {
  readonly table: ConnectionTable;
  /** undefined without routing. */
  readonly routeTable: RouteTable | undefined;
  readonly interfaceIndex: InterfaceIndex;
  /** Of the connection whose keys come from a key chain, if there is one. */
  readonly chainMux?: number | undefined;
  readonly delay: Delay;
  readonly elapsed: () => number;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
  /** Has the data plane make a learnt connection ready. */
  readonly prepare: (mux: number) => void;
  /** A route has come or gone. */
  readonly routeChanged?: ((route: Route) => void) | undefined;
  /** The peer of a connection is elsewhere. */
  readonly peerMoved?: ((mux: number) => void) | undefined;
  /** Keys that others have taken the place of. */
  readonly leaving: LeavingKeys;
}

export class SyncState implements SyncSink {
  readonly #options: SyncStateOptions;
  readonly #routes = new Routes();
  /** Muxes learnt from others. */
  readonly #learnt = new Set<number>();
  /** Where they are, as others say, by their muxes. */
  readonly #peers = new Map<number, IpAddress>();
  readonly #changes: CollectedWork;

  constructor(options: SyncStateOptions) {
    this.#options = options;
    const publish = () => this.#publish();
    this.#changes = new CollectedWork(COLLECT_MS, publish, options);
  }

  putConnection(learnt: LearntConnection): boolean {
    const { table, prepare, chainMux } = this.#options;
    const { mux, firstSeq } = learnt;
    const isNear = table.accepts(mux, learnt, firstSeq);
    this.#putPeer(learnt);
    if (mux === chainMux) {
      this.#raise(learnt, isNear ? firstSeq : 0);
      return isNear;
    }
    this.#options.leaving.put(mux, learnt, isNear ? firstSeq : 0);
    this.#learnt.add(mux);
    prepare(mux);
    return isNear;
  }

  /** Makes no connection: without keys of its own it would have empty ones. */
  learnPeer(peer: LearntPeer): boolean {
    const { table } = this.#options;
    const { mux, firstSeq } = peer;
    if (!table.exists(mux)) return true;
    const own = table.keys(mux);
    const isNear = table.accepts(mux, own, firstSeq);
    this.#putPeer(peer);
    if (isNear) table.put(mux, own, firstSeq, "keep");
    wipeSecrets(own.secrets);
    return isNear;
  }

  /** Whether there is such a connection, with keys of this statement. */
  hasKeysOf(mux: number, statement: string): boolean {
    return this.exists(mux) && this.statement(mux) === statement;
  }

  /** Whether its keys come from a key chain, whatever others say. */
  isChained(mux: number): boolean {
    return mux === this.#options.chainMux && this.exists(mux);
  }

  hasRoom(route: Route): boolean {
    return this.#routes.hasRoom(route);
  }

  putRoute(route: Route): boolean {
    if (!this.#routes.put(route)) return false;
    this.#collect(route);
    return true;
  }

  /** Nothing more is sent or accepted for it. */
  removeConnection(mux: number): void {
    const { table, leaving, peerMoved } = this.#options;
    this.#learnt.delete(mux);
    if (this.#peers.delete(mux)) peerMoved?.(mux);
    if (table.remove(mux)) leaving.removed();
  }

  /** Whether others have told of it, or its peer is known. */
  isKnown(mux: number): boolean {
    return this.#learnt.has(mux) ||
      endpointOf(this.#options.table, mux) !== undefined;
  }

  exists(mux: number): boolean {
    return this.#options.table.exists(mux);
  }

  /** Whether there is a connection that nobody else has told of. */
  isOwn(mux: number): boolean {
    return this.#options.table.exists(mux) && !this.#learnt.has(mux);
  }

  muxes(): readonly number[] {
    return this.#options.table.liveMuxes();
  }

  /** Of the role and the keys that seal; see {@linkcode statementOf}. */
  statement(mux: number): string {
    const keys = this.#options.table.keys(mux);
    const statement = statementOf(keys);
    wipeSecrets(keys.secrets);
    return statement;
  }

  /** Unless it leads to another connection by now. */
  removeRoute(route: Route): void {
    if (this.#routes.remove(route, route.mux)) this.#collect(route);
  }

  routes(): readonly Route[] {
    return this.#routes.list();
  }

  /** The one that counts for the network of a route. */
  routeTo(route: Route): Route | undefined {
    return this.#routes.to(route);
  }

  /** As another member has told last, and nobody else. */
  peerOf(mux: number): IpAddress | undefined {
    return this.#peers.get(mux);
  }

  /** Everything known, in the order of the original (sync section 1). */
  snapshot(): string[] {
    const { table } = this.#options;
    const records: string[] = [];
    for (const mux of table.liveMuxes()) {
      // The original has no connection before it has heard from the peer.
      const record = this.isKnown(mux) ? this.connection(mux) : undefined;
      if (record !== undefined) records.push(record);
    }
    for (const route of this.#routes.list()) {
      records.push(encodeRecord({ command: "route", ...route }));
    }
    return records;
  }

  connection(mux: number): string | undefined {
    const { table } = this.#options;
    if (!table.exists(mux)) return undefined;
    const { role, secrets, windowSize } = table.keys(mux);
    const record = encodeRecord({
      command: "connection",
      mux,
      ...{ role, secrets, windowSize },
      seq: table.nextSeq(mux),
      endpoint: endpointOf(table, mux) ?? UNKNOWN,
    });
    wipeSecrets(secrets);
    return record;
  }

  // Which keys seal and open, the chain alone says: others may be behind, or may
  // have a table that is (key-chains.md, "Which epoch").
  #raise({ mux, role, secrets }: LearntConnection, firstSeq: number): void {
    const { table } = this.#options;
    const own = table.keys(mux);
    const isSame = role === own.role && sameSecrets(secrets, own.secrets);
    if (table.exists(mux) && isSame) table.put(mux, own, firstSeq, "keep");
    wipeSecrets(own.secrets);
  }

  #putPeer(peer: LearntPeer): void {
    this.#notePeer(peer);
    const endpoint = this.#usable(peer);
    if (endpoint === undefined) return;
    putEndpoint(this.#options.table, peer.mux, endpoint);
  }

  /** A link-local address may belong to an interface of another member. */
  #usable({ mux, endpoint }: LearntPeer): Endpoint | undefined {
    if (endpoint === undefined) return undefined;
    const { interfaceIndex, limited } = this.#options;
    try {
      const address = withNumericZone(endpoint.address, interfaceIndex);
      return { address, port: endpoint.port };
    } catch (error) {
      limited.write(
        "info",
        "sync endpoint",
        () => ({
          text: `sync: connection ${mux} without endpoint: ${reasonOf(error)}`,
          fields: { mux },
        }),
      );
      return undefined;
    }
  }

  #notePeer({ mux, endpoint }: LearntPeer): void {
    if (endpoint === undefined) return;
    const { address } = endpoint;
    const before = this.#peers.get(mux);
    this.#peers.set(mux, address);
    const stays = before !== undefined &&
      formatAddress(before) === formatAddress(address);
    if (!stays) this.#options.peerMoved?.(mux);
  }

  #collect(route: Route): void {
    const { routeTable, routeChanged } = this.#options;
    routeChanged?.(route);
    if (routeTable !== undefined) this.#changes.ask();
  }

  #publish(): void {
    const { routeTable } = this.#options;
    if (routeTable !== undefined) this.#routes.publish(routeTable);
  }
}
