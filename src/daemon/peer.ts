// Peer of a point-to-point tunnel: its connection and its address.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import type { ResolvedEndpoints, Resolver } from "../net/resolver.ts";
import { type InterfaceIndex, withNumericZone } from "../net/zone.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import {
  type ConnectionTable,
  endpointWords,
} from "../tunnel/connection_table.ts";
import { writeEndpoint } from "../tunnel/endpoint_words.ts";
import type { Service, Starting } from "./lifecycle.ts";
import { unlessStopped } from "./stop.ts";

export type PeerOptions = Pick<
  AnytunOptions,
  | "chroot"
  | "family"
  | "mux"
  | "remoteHost"
  | "remotePort"
  | "role"
  | "windowSize"
>;

interface PeerContext {
  readonly resolver: Resolver;
  readonly interfaceIndex: InterfaceIndex;
  readonly table: ConnectionTable;
  /**
   * Gives what is overwritten once the connection has its own copy; without
   * any there is none.
   */
  readonly secrets: (() => MasterSecrets) | undefined;
  /** Has the data plane make the connection ready. */
  readonly prepare: (mux: number) => Promise<void>;
  /** Called when the connection is there, and when its peer is elsewhere. */
  readonly moved: (mux: number) => void;
  readonly logger: Logger;
}

export class Peer implements Service {
  readonly name = "peer";
  readonly #options: PeerOptions;
  readonly #context: PeerContext;
  /** Last address of the name. */
  #resolved: Endpoint | undefined;
  #connected = false;

  constructor(options: PeerOptions, context: PeerContext) {
    this.#options = options;
    this.#context = context;
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
      this.#resolved = await this.#resolveOnce();
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
    const { secrets, prepare } = this.#context;
    if (secrets === undefined) return;
    await this.#connect(secrets, stop);
    await prepare(this.#options.mux);
  }

  async #connect(
    secretsNow: () => MasterSecrets,
    stop: AbortSignal,
  ): Promise<void> {
    const { table, logger } = this.#context;
    const { mux, role, windowSize, remoteHost } = this.#options;
    if (remoteHost !== undefined) {
      this.#resolved ??= await this.#resolve(stop);
      if (this.#resolved === undefined) return;
    }
    this.#setEndpoint(this.#resolved);
    const secrets = secretsNow();
    table.put(mux, { role, secrets, windowSize }, 0);
    table.keepNumbersAhead();
    secrets.key.fill(0);
    secrets.salt.fill(0);
    this.#connected = true;
    if (this.#resolved === undefined) return;
    const endpoint = formatEndpoint(this.#resolved);
    logger.notice(`added connection remote host ${endpoint}`);
    this.#context.moved(mux);
  }

  /**
   * Asks for the address of the peer again, and follows it to a new one. As
   * long as the answer stays the same, a peer that has moved on its own is not
   * called back.
   */
  async reload(): Promise<void> {
    const { remoteHost } = this.#options;
    if (remoteHost === undefined || !this.#connected) return;
    const { logger } = this.#context;
    try {
      const endpoint = await this.#resolveOnce();
      const text = formatEndpoint(endpoint);
      if (this.#resolved && text === formatEndpoint(this.#resolved)) {
        logger.info(`remote host ${remoteHost} is still ${text}`);
        return;
      }
      this.#resolved = endpoint;
      this.#setEndpoint(endpoint);
      this.#context.moved(this.#options.mux);
      logger.notice(`remote host ${remoteHost} is now ${text}`);
    } catch (error) {
      logger.error(
        `${reasonOf(error)} (--remote-host): keeping the old address`,
      );
    }
  }

  async #resolveOnce(): Promise<Endpoint> {
    const { resolver } = this.#context;
    try {
      return this.#favourite(await resolver.resolveOnce(this.#request()));
    } catch (error) {
      const { remoteHost } = this.#options;
      throw new Error(`Cannot resolve '${remoteHost}': ${reasonOf(error)}`);
    }
  }

  async #resolve(stop: AbortSignal): Promise<Endpoint | undefined> {
    const request = { ...this.#request(), signal: stop };
    const resolving = this.#context.resolver.resolve(request);
    const endpoints = await unlessStopped(resolving, stop);
    return endpoints && this.#favourite(endpoints);
  }

  #request(): { host: string; port: number; family: PeerOptions["family"] } {
    const { remoteHost = "", remotePort: port, family } = this.#options;
    return { host: remoteHost, port, family };
  }

  #favourite([{ address, port }]: ResolvedEndpoints): Endpoint {
    const { interfaceIndex } = this.#context;
    return { address: withNumericZone(address, interfaceIndex), port };
  }

  #setEndpoint(endpoint: Endpoint | undefined): void {
    const words = endpointWords();
    writeEndpoint(words, 0, endpoint);
    this.#context.table.setEndpoint(this.#options.mux, words, 0);
  }
}
