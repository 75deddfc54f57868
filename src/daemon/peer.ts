// Peer of a point-to-point tunnel: its connection and its address.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { type IpAddress, parseAddress } from "../net/address.ts";
import type { Every } from "../net/every.ts";
import { reasonOf } from "../log/reason.ts";
import { EitherSignal } from "../net/either.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type {
  ResolvedEndpoints,
  Resolver,
  ResolveRequest,
} from "../net/resolver.ts";
import {
  formatNamedEndpoint,
  type InterfaceIndex,
  type InterfaceName,
  withNumericZone,
} from "../net/zone.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { endpointOf, putEndpoint } from "../tunnel/endpoint_words.ts";
import { PeerSearch } from "./peer_search.ts";
import type { Service, Starting } from "./lifecycle.ts";
import type { OwnKeys } from "./own_keys.ts";
import { aborted, unlessStopped } from "./stop.ts";

/** How often it is seen whether the peer answers. */
const LOOK_MS = 1000;

export type PeerOptions = Pick<
  AnytunOptions,
  | "chroot"
  | "family"
  | "mux"
  | "remoteHost"
  | "remotePort"
  | "secrets"
  | "silentAfter"
  | "windowSize"
>;

interface PeerContext {
  readonly resolver: Resolver;
  readonly interfaceIndex: InterfaceIndex;
  readonly interfaceName: InterfaceName;
  readonly table: ConnectionTable;
  /**
   * Gives what is overwritten once the connection has its own copy; without
   * any there is none.
   */
  readonly secrets: (() => MasterSecrets) | undefined;
  /** Those that options give, unless there is a key chain. */
  readonly secretsOf: (
    options: PeerOptions,
  ) => Promise<MasterSecrets | undefined>;
  readonly keys: OwnKeys;
  /** Has the data plane make the connection ready. */
  readonly prepare: (mux: number) => Promise<void>;
  /** Called before the connection is there, with where its peer is to be. */
  readonly expected: (mux: number, remote: string | undefined) => void;
  /** Called when the connection is there, and when its peer is elsewhere. */
  readonly moved: (mux: number) => void;
  /** Whether it is sent something, and has not been heard for long. */
  readonly isUnanswered: (mux: number) => boolean;
  /** Whether it is sent keep-alives. */
  readonly isKeptAlive: () => boolean;
  readonly elapsed: () => number;
  readonly every: Every;
  readonly logger: Logger;
}

export class Peer implements Service<PeerOptions> {
  readonly name = "peer";
  readonly live = [
    ...["remoteHost", "remotePort", "windowSize"],
    ...["passphrase", "key", "salt"],
    ...["passphraseFile", "keyFile", "saltFile"],
  ];
  readonly #context: PeerContext;
  #options: PeerOptions;
  #secrets: (() => MasterSecrets) | undefined;
  /** Last address of the name. */
  #resolved: Endpoint | undefined;
  /** Of the options that were looked at last, if its name or port is new. */
  #checked:
    | { readonly options: PeerOptions; readonly endpoint: Endpoint }
    | undefined;
  /** Ends a wait of {@linkcode run}, for what it is to wait for now. */
  #otherwise = new AbortController();
  #connected = false;

  constructor(options: PeerOptions, context: PeerContext) {
    this.#options = options;
    this.#context = context;
    this.#secrets = context.secrets;
  }

  /** Whether there is a connection, with an address if it was named. */
  get isConnected(): boolean {
    return this.#connected;
  }

  /** That its name stands for, as far as it is known; undefined without one. */
  get address(): IpAddress | undefined {
    const { remoteHost = "" } = this.#options;
    return this.#resolved?.address ?? parseAddress(remoteHost);
  }

  /** As it was named, if it was. */
  get remoteHost(): string | undefined {
    return this.#options.remoteHost;
  }

  /**
   * Resolves once with the files of the system, before the daemon enters the
   * jail. Later lookups need the jail's own etc/resolv.conf and etc/hosts, as
   * they do for the original.
   */
  async start({ stop, waiting }: Starting): Promise<void> {
    const { chroot, remoteHost } = this.#options;
    if (chroot === undefined || remoteHost === undefined) return;
    waiting(`an address of '${remoteHost}' (--remote-host)`);
    await unlessStopped(this.#look(), stop);
  }

  async #look(): Promise<void> {
    const { logger } = this.#context;
    try {
      this.#resolved = await this.#resolveOnce(this.#options);
    } catch (error) {
      logger.warning(
        `${reasonOf(error)} (--remote-host): trying again inside the ` +
          "jail, with its etc/resolv.conf and etc/hosts",
      );
    }
  }

  /**
   * Makes the connection. Without -r it waits for its endpoint; with it there
   * is none before the name is resolved, so that nobody else can become the
   * peer.
   * @throws if the address of the peer cannot be used here
   */
  async run(stop: AbortSignal): Promise<void> {
    while (!this.#connected && !stop.aborted) {
      this.#otherwise = new AbortController();
      using either = new EitherSignal(stop, this.#otherwise.signal);
      await this.#connect(either.signal);
    }
    const search = this.#newSearch();
    await this.#context.every(LOOK_MS, () => search.look(), stop);
  }

  // An address, or none, stands for no other one.
  #newSearch(): PeerSearch {
    const { elapsed, isKeptAlive, isUnanswered } = this.#context;
    const { logger, table } = this.#context;
    const { silentAfter } = this.#options;
    const last = this.#resolved === undefined ? [] : [this.#resolved];
    return new PeerSearch(silentAfter * 1000, last, {
      isUnanswered: () => this.#hasName && isUnanswered(this.#options.mux),
      isKeptAlive: () => this.#hasName && isKeptAlive(),
      lastHeard: () => table.lastHeard(this.#options.mux),
      present: () => this.#endpoint(),
      lookUp: () => this.#lookUp(this.#options),
      move: (to) => this.#moveTo(to, this.#lostAt()),
      stays: () =>
        logger.info(`remote host ${this.#options.remoteHost} does not answer`),
      failed: (error) =>
        logger.warning(
          `${reasonOf(error)} (--remote-host): keeping the old address`,
        ),
      elapsed,
    });
  }

  get #hasName(): boolean {
    const { remoteHost } = this.#options;
    return remoteHost !== undefined && parseAddress(remoteHost) === undefined;
  }

  /** @param why Behind what is logged */
  #moveTo(to: Endpoint, why = ""): void {
    const { logger, moved } = this.#context;
    const { mux, remoteHost } = this.#options;
    this.#resolved = to;
    this.#setEndpoint(to);
    moved(mux);
    const endpoint = this.#textOf(to);
    logger.notice(
      `remote host ${remoteHost} is now ${endpoint}${why}`,
      { event: "moved", mux, endpoint },
    );
  }

  #lostAt(): string {
    const before = this.#endpoint();
    return before ? `: it did not answer at ${this.#textOf(before)}` : "";
  }

  close(): void {
    this.#context.keys.close();
  }

  async #connect(stop: AbortSignal): Promise<void> {
    const { expected, keys, logger, moved, prepare } = this.#context;
    const { remoteHost } = this.#options;
    if (this.#secrets === undefined) return await aborted(stop);
    if (remoteHost !== undefined) {
      this.#resolved ??= await this.#resolve(stop);
      if (this.#resolved === undefined) return;
    }
    const { mux, windowSize } = this.#options;
    const endpoint = this.#resolved && this.#textOf(this.#resolved);
    expected(mux, endpoint);
    this.#setEndpoint(this.#resolved);
    keys.begin(this.#secrets(), windowSize);
    this.#connected = true;
    if (endpoint !== undefined) {
      logger.notice(`added connection remote host ${endpoint}`);
      moved(mux);
    }
    await prepare(mux);
  }

  /** @throws if the connection could not be what the options say */
  async check(next: PeerOptions): Promise<void> {
    if (this.#options.secrets !== undefined && next.secrets === undefined) {
      throw new Error(
        "the connection cannot lose its keys while the daemon runs " +
          "(--key-file, --passphrase-file): stop the daemon",
      );
    }
    this.#checked = undefined;
    if (next.remoteHost === undefined) return;
    if (!isElsewhere(this.#options, next)) return;
    try {
      const endpoint = await this.#resolveOnce(next);
      this.#checked = { options: next, endpoint };
    } catch (error) {
      throw new Error(`${reasonOf(error)} (--remote-host)`);
    }
  }

  /**
   * Asks for the address of the peer again, and follows it to a new one. As
   * long as the answer stays the same, a peer that has moved on its own is not
   * called back.
   */
  async reload(next: PeerOptions): Promise<void> {
    const before = this.#options;
    this.#options = next;
    if (next !== before) await this.#takeKeys(next);
    if (next.remoteHost === undefined) this.#resolved = undefined;
    else if (this.#connected) return await this.#follow(next);
    if (this.#connected) return;
    if (isElsewhere(before, next)) this.#resolved = undefined;
    this.#otherwise.abort();
  }

  async #takeKeys(next: PeerOptions): Promise<void> {
    const { keys, secretsOf } = this.#context;
    if (this.#connected) keys.resize(next.windowSize);
    const secrets = await secretsOf(next);
    if (secrets === undefined) return;
    if (this.#connected) keys.change(secrets);
    else this.#secrets = () => secrets;
  }

  async #follow(next: PeerOptions): Promise<void> {
    const { logger } = this.#context;
    const { remoteHost } = next;
    try {
      const endpoint = this.#checked?.options === next
        ? this.#checked.endpoint
        : await this.#resolveOnce(next);
      this.#checked = undefined;
      const text = this.#textOf(endpoint);
      if (this.#resolved && text === this.#textOf(this.#resolved)) {
        logger.info(`remote host ${remoteHost} is still ${text}`);
        return;
      }
      this.#moveTo(endpoint);
    } catch (error) {
      logger.error(
        `${reasonOf(error)} (--remote-host): keeping the old address`,
      );
    }
  }

  async #resolveOnce(options: PeerOptions): Promise<Endpoint> {
    const [first] = await this.#lookUp(options);
    return first;
  }

  async #lookUp(options: PeerOptions): Promise<ResolvedEndpoints> {
    const { resolver } = this.#context;
    try {
      const [first, ...others] = await resolver
        .resolveOnce(requestOf(options));
      return [this.#numeric(first), ...others.map((one) => this.#numeric(one))];
    } catch (error) {
      throw new Error(
        `Cannot resolve '${options.remoteHost}': ${reasonOf(error)}`,
      );
    }
  }

  async #resolve(stop: AbortSignal): Promise<Endpoint | undefined> {
    const request = { ...requestOf(this.#options), signal: stop };
    const resolving = this.#context.resolver.resolve(request);
    const endpoints = await unlessStopped(resolving, stop);
    return endpoints && this.#numeric(endpoints[0]);
  }

  /** With zones by name. */
  #textOf(endpoint: Endpoint): string {
    return formatNamedEndpoint(endpoint, this.#context.interfaceName);
  }

  #endpoint(): Endpoint | undefined {
    return endpointOf(this.#context.table, this.#options.mux);
  }

  #numeric({ address, port }: Endpoint): Endpoint {
    const { interfaceIndex } = this.#context;
    return { address: withNumericZone(address, interfaceIndex), port };
  }

  #setEndpoint(endpoint: Endpoint | undefined): void {
    const { table } = this.#context;
    const { mux } = this.#options;
    putEndpoint(table, mux, endpoint);
    if (endpoint !== undefined) table.endpoints.setCalls(mux);
  }
}

function isElsewhere(a: PeerOptions, b: PeerOptions): boolean {
  return a.remoteHost !== b.remoteHost || a.remotePort !== b.remotePort;
}

function requestOf(
  { remoteHost: host = "", remotePort: port, family }: PeerOptions,
): ResolveRequest {
  return { host, port, family };
}
