// Tunnel as a part of another program.
import {
  idOption,
  type RoleName,
  satpRole,
  satpSecrets,
  type SecretOptions,
} from "../crypto/satp_options.ts";
import { delay } from "../net/delay.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { wipeSecrets } from "../satp/secrets.ts";
import { CallOrder } from "./call_order.ts";
import {
  CONNECTION_COUNTER_INFOS,
  namedCounts,
  PLANE_COUNTER_INFOS,
} from "./counters.ts";
import { putEndpoint } from "./endpoint_words.ts";
import { KeepAlive } from "./keep_alive.ts";
import { LeavingKeys } from "./leaving_keys.ts";
import { type OpenTunnel, openTunnel, type Routing } from "./open_tunnel.ts";
import { PeerLog } from "./peer_log.ts";
import { PeerWatch } from "./peer_watch.ts";
import { remoteOf, sightingOf, sightingsOf } from "./sightings.ts";
import {
  PeerEvent,
  TunnelEvent,
  type TunnelEventMap,
  TunnelFailure,
} from "./event.ts";
import {
  prefixOption,
  type ReadOptions,
  readOptions,
  remoteOption,
  type TunnelOptions,
  windowOption,
} from "./options.ts";

/** How often peers are looked at, in ms. */
const LOOK_MS = 1000;

/** A connection to put into a tunnel that runs. */
export interface ConnectionOptions extends SecretOptions {
  /** Own role in this connection; default: that of the tunnel. */
  readonly role?: RoleName;
  /** Sequence numbers that the replay window spans; default 1024. */
  readonly windowSize?: number;
  /** Where the peer is; default: where it is heard. */
  readonly remote?: string;
  /**
   * Whether what was sealed with the keys before is accepted for 10 seconds
   * more, so that keys change under traffic without a lost packet; default no.
   */
  readonly keepOldKeys?: boolean;
}

/** What is known of one connection. */
export interface ConnectionStatus {
  /** Its number. */
  readonly mux: number;
  /** Where the peer is, as text; undefined as long as nobody knows. */
  readonly remote: string | undefined;
  /** When the peer was last heard, in ms since 1970; undefined for never. */
  readonly lastHeard: number | undefined;
  /** What was counted, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * A tunnel that this program runs. It needs Linux, `--allow-ffi`,
 * CAP_NET_ADMIN, and for its fast data plane `--allow-read` from source or to
 * be compiled with `src/tunnel/native/worker.ts`; the slower plane takes over
 * without, and needs `--allow-net` and `--unstable-net`.
 *
 * It tells by events what becomes of it: `ready`; `heard`, `moved` and `silent`
 * of the peer of a connection; `failed` when it cannot go on.
 *
 * @example One end of a tunnel
 * ```ts ignore
 * import { Tunnel } from "@anytun/anytun";
 *
 * await using tunnel = new Tunnel({
 *   role: "left",
 *   passphrase: "only an example",
 *   remote: "192.0.2.1:4444",
 *   device: { name: "tun0", addresses: ["10.0.0.1/24"] },
 * });
 * tunnel.addEventListener("moved", ({ remote }) => console.log(remote));
 * await tunnel.start();
 * await tunnel.finished;
 * ```
 */
export class Tunnel extends EventTarget implements AsyncDisposable {
  readonly #options: TunnelOptions;
  readonly #read: ReadOptions;
  readonly #finished = Promise.withResolvers<void>();
  readonly #watch: PeerWatch;
  readonly #stopping = new AbortController();
  readonly #changes = new CallOrder();
  #leaving: LeavingKeys | undefined;
  #keepAlive: KeepAlive | undefined;
  #isStarted = false;
  #open: OpenTunnel | undefined;

  /**
   * Checks the options; opens nothing.
   *
   * @throws {SatpError} BAD_PARAMETER for what belongs to the protocol
   * @throws {TypeError} for an address that is none, or a path
   * @throws {RangeError} for a number that is too small or too large
   */
  constructor(options: TunnelOptions = {}) {
    super();
    this.#options = options;
    this.#read = readOptions(options);
    const { logger } = options;
    const log = logger && new PeerLog(logger, () => performance.now());
    this.#watch = new PeerWatch(this.#read.silentAfter, (news) => {
      log?.tell(news);
      const { change } = news;
      if (change === "unanswered") return;
      const type = change === "again" ? "heard" : change;
      this.dispatchEvent(new PeerEvent(type, news));
    });
    // Whoever waits for `finished` learns of a failure; others have the event.
    this.#finished.promise.catch(() => {});
  }

  /** Resolves when the tunnel has stopped; rejects when it has failed. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /**
   * The device by the name that the kernel gave it.
   *
   * @throws {Error} if the tunnel does not run
   */
  get device(): string {
    return this.#running.device;
  }

  /**
   * The local addresses and ports, such as `0.0.0.0:4444`.
   *
   * @throws {Error} if the tunnel does not run
   */
  get bound(): readonly string[] {
    return this.#running.bound.map(formatEndpoint);
  }

  /**
   * Opens device and sockets and carries packets. A tunnel starts once.
   *
   * @throws {TunTapError} if the device is not available
   * @throws {SatpError} BAD_KEY or BAD_SALT if one is of no use
   * @throws {StateError} if `stateDir` is of no use
   * @throws {Error} if an address cannot be bound, or it was started before
   */
  async start(): Promise<void> {
    if (this.#isStarted) throw new Error("Cannot start a tunnel twice");
    this.#isStarted = true;
    const opened = new AsyncDisposableStack();
    const stop = this.#stopping.signal;
    try {
      const { plane, table } = this.#open = await openTunnel(
        this.#options,
        this.#read,
        opened,
        (mux) => this.#lookAt(mux),
        stop,
      );
      this.#leaving = new LeavingKeys({
        table,
        // At the end they leave at once, and no timer holds up the process.
        delay: (ms) => delay(ms, stop).catch(() => {}),
        dropRetired: () => plane.dropRetired(),
      });
      // A failure is told below; until then there may be keys to wait for.
      plane.finished.catch(() => {});
      if (stop.aborted) await plane.stop();
      if (hasSecret(this.#options)) {
        await this.putConnection(this.#read.mux, this.#options);
      }
      this.#keepAlive = new KeepAlive(table, this.#options.routing ?? false);
      const looking = setInterval(() => this.#look(), LOOK_MS);
      opened.defer(() => clearInterval(looking));
      void plane.finished.then(
        () => this.#end(opened),
        (error) => this.#end(opened, { error }),
      );
    } catch (error) {
      await this.#open?.plane.stop();
      await this.#end(opened, { error });
      throw error;
    }
    if (!stop.aborted) this.dispatchEvent(new TunnelEvent("ready"));
  }

  /**
   * Ends the carrying and closes device and sockets; resolves when it is kept in
   * the state folder, if there is one, exactly which numbers were used.
   */
  async stop(): Promise<void> {
    if (!this.#isStarted) void this.#end(new AsyncDisposableStack());
    this.#isStarted = true;
    this.#stopping.abort();
    await this.#open?.plane.stop();
    await this.#finished.promise.catch(() => {});
  }

  /** As {@linkcode stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Makes a connection, or changes it: its keys, its window, or where its peer
   * is. Unless it says so, what was sealed with any keys before is accepted no
   * more, also where the keys are those of now. Of changes that overlap the one
   * that was called last counts.
   *
   * @throws {SatpError} BAD_KEY or BAD_SALT if one is of no use
   * @throws {TypeError} if `remote` is no endpoint
   * @throws {Error} if the tunnel does not run
   */
  async putConnection(mux: number, options: ConnectionOptions): Promise<void> {
    const number = idOption("mux", mux);
    const call = this.#changes.begin();
    const { params } = this.#read;
    const role = satpRole(options.role ?? this.#options.role);
    const windowSize = windowOption(options.windowSize);
    const remote = remoteOption(options.remote);
    const secrets = await satpSecrets(options, params.kdPrf);
    try {
      const { table, toNumericZone } = this.#running;
      if (!this.#changes.take(number, call)) return;
      if (remote !== undefined) {
        putEndpoint(table, number, toNumericZone(remote));
        table.endpoints.setCalls(number);
      }
      const keys = { role, secrets, windowSize };
      // What it sends at once waits for no look of the upkeep.
      table.reserveAhead(number, keys);
      if (options.keepOldKeys === true) this.#leaving?.put(number, keys, 0);
      else table.put(number, keys, 0);
    } finally {
      wipeSecrets(secrets);
    }
    const { plane } = this.#running;
    plane.dropRetired();
    await plane.prepare(number);
  }

  /**
   * Ends a connection: nothing more is sent to its peer or taken from it, and
   * its keys are overwritten. Routes to it lead nowhere until it is put again.
   *
   * @returns false if there is none
   * @throws {Error} if the tunnel does not run
   */
  removeConnection(mux: number): boolean {
    const { table, plane } = this.#running;
    const number = idOption("mux", mux);
    this.#changes.take(number, this.#changes.begin());
    const wasThere = table.remove(number);
    plane.dropRetired();
    return wasThere;
  }

  /**
   * All connections, by their numbers.
   *
   * @throws {Error} if the tunnel does not run
   */
  connections(): readonly ConnectionStatus[] {
    const { table } = this.#running;
    return table.liveMuxes().map((mux) => ({
      mux,
      remote: remoteOf(table, mux),
      lastHeard: table.lastHeard(mux),
      counters: namedCounts(CONNECTION_COUNTER_INFOS, table.counters.sum(mux)),
    }));
  }

  /**
   * What belongs to no connection, by name.
   *
   * @throws {Error} if the tunnel does not run
   */
  counters(): Readonly<Record<string, number>> {
    return namedCounts(PLANE_COUNTER_INFOS, this.#running.plane.counters());
  }

  /**
   * Leads a network to the peer of a connection, in place of any before.
   *
   * @param prefix Such as `192.0.2.0/24`
   * @throws {TypeError} if the prefix is none
   * @throws {RangeError} if there are too many routes
   * @throws {Error} if the tunnel does not run, or has no routing
   */
  putRoute(prefix: string, mux: number): void {
    const { address: network, length: prefixLength } = prefixOption(prefix);
    const { routes, table } = this.#routing;
    const route = { network, prefixLength, mux: idOption("mux", mux) };
    if (!routes.put(route)) {
      throw new RangeError(`Cannot add route ${prefix}: there are too many`);
    }
    routes.publish(table);
  }

  /**
   * Takes a route away.
   *
   * @param prefix As it was put
   * @returns false if there is none
   * @throws {TypeError} if the prefix is none
   * @throws {Error} if the tunnel does not run, or has no routing
   */
  removeRoute(prefix: string): boolean {
    const { address: network, length: prefixLength } = prefixOption(prefix);
    const { routes, table } = this.#routing;
    const isGone = routes.remove({ network, prefixLength });
    routes.publish(table);
    return isGone;
  }

  /** Calls the listener with each event of this kind. */
  override addEventListener<K extends keyof TunnelEventMap>(
    type: K,
    listener: (event: TunnelEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Calls the listener with each event of this kind. */
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
  }

  get #running(): OpenTunnel {
    if (this.#open !== undefined) return this.#open;
    throw new Error("Cannot do this: the tunnel does not run");
  }

  get #routing(): Routing {
    const { routing } = this.#running;
    if (routing !== undefined) return routing;
    throw new Error("Cannot have routes: the tunnel has no routing");
  }

  #look(): void {
    const table = this.#open?.table;
    if (table === undefined) return;
    const now = performance.timeOrigin + performance.now();
    this.#watch.look(sightingsOf(table), now);
    const due = this.#keepAlive?.look(this.#read.keepalive, now) ?? [];
    if (due.length > 0) this.#open?.plane.sendDue();
  }

  // Of one alone: thousands of peers may come at a time.
  #lookAt(mux: number): void {
    const table = this.#open?.table;
    if (!table?.exists(mux)) return;
    const now = performance.timeOrigin + performance.now();
    this.#watch.lookAt(sightingOf(table, mux), now);
  }

  async #end(
    opened: AsyncDisposableStack,
    failure?: { readonly error: unknown },
  ): Promise<void> {
    this.#open = undefined;
    try {
      await opened.disposeAsync();
    } catch (error) {
      failure ??= { error };
    }
    if (failure === undefined) return this.#finished.resolve();
    this.#finished.reject(failure.error);
    this.dispatchEvent(new TunnelFailure(failure.error));
  }
}

function hasSecret({ passphrase, key, salt }: SecretOptions): boolean {
  return [passphrase, key, salt].some((secret) => secret !== undefined);
}
