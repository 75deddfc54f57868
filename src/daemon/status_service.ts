// Status listeners: the unix socket for `anytun status`, and HTTP for whoever
// watches many daemons.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { type IpAddress, isLoopback, parseAddress } from "../net/address.ts";
import type { StreamListener } from "../net/duplex_stream.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { HostPort } from "../net/place.ts";
import type { MembersReport } from "../status/members_report.ts";
import { StatusServer } from "../status/server.ts";
import {
  type StatusControl,
  StatusSite,
  type StatusSiteOptions,
} from "../status/site.ts";
import { SparedSource } from "../status/spared_source.ts";
import type { Phase, Service, Starting } from "./lifecycle.ts";
import type { StatusReport } from "./status_report.ts";
import { statusSocketOf } from "./status_socket.ts";
import { tellingUsers } from "./telling_users.ts";
import { aborted, unlessStopped } from "./stop.ts";
import type { World } from "./world.ts";

type StatusServiceOptions = Pick<
  AnytunOptions,
  "metrics" | "metricsConnections" | "name" | "statusSocket"
>;

type StatusWorld = Pick<
  World,
  | "delay"
  | "listenTcp"
  | "lookup"
  | "makeRunFolder"
  | "openOwners"
  | "openUnixStreams"
  | "runtimeDirectory"
>;

interface StatusContext {
  readonly report: StatusReport;
  /** For who connects to the unix socket, and nobody else. */
  readonly control: StatusControl;
  readonly members: () => MembersReport;
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

export class StatusService implements Service<StatusServiceOptions> {
  readonly name = "status";
  readonly live = ["metrics", "metricsConnections"];
  #options: StatusServiceOptions;
  readonly #context: StatusContext;
  readonly #world: StatusWorld;
  #socket: Serving | undefined;
  #metrics: readonly Serving[] = [];
  /** Of options that are not in force yet. */
  #nextMetrics: readonly Serving[] | undefined;
  /** Whether somebody else has taken the port, while it was given up. */
  #isLost = false;
  #isClosed = false;

  constructor(
    options: StatusServiceOptions,
    context: StatusContext,
    world: StatusWorld,
  ) {
    this.#options = options;
    this.#context = context;
    this.#world = world;
  }

  changed(phase: Phase): void {
    this.#context.report.changed(phase);
  }

  sockets(): readonly string[] {
    const socket = statusSocketOf(this.#options, this.#world.runtimeDirectory);
    return this.#socket && socket ? [socket.path] : [];
  }

  /** @throws if it cannot listen where people have said that it should */
  async start({ stop, waiting }: Starting): Promise<void> {
    this.#socket = this.#openSocket();
    const { metrics } = this.#options;
    if (metrics === undefined) return;
    if (parseAddress(metrics.host) === undefined) {
      waiting(`an address of '${metrics.host}' (--metrics)`);
    }
    const opening = this.#openMetrics(this.#options);
    this.#metrics = await unlessStopped(opening, stop) ?? [];
    // What comes too late is closed again.
    if (stop.aborted) void opening.then(closeAll).catch(() => {});
  }

  async run(stop: AbortSignal): Promise<void> {
    await aborted(stop);
    this.close();
  }

  /** @throws if it cannot listen there */
  async check(
    next: StatusServiceOptions,
    undo: DisposableStack,
  ): Promise<void> {
    if (isSamePlace(next.metrics, this.#options.metrics)) return;
    const before = this.#options.metrics;
    // All addresses of a port stand in the way of each of them.
    const givesWay = before !== undefined && before.port !== 0 &&
      before.port === next.metrics?.port;
    if (givesWay) await closeAll(this.#metrics);
    const comeBack = async () => {
      if (givesWay) await this.#reopen();
    };
    try {
      const servers = await this.#openMetrics(next);
      this.#nextMetrics = servers;
      undo.defer(() => {
        this.#nextMetrics = undefined;
        void closeAll(servers).then(comeBack);
      });
    } catch (error) {
      await comeBack();
      throw error;
    }
  }

  /** After a fault in other options. What fails is tried at the next HUP. */
  async #reopen(): Promise<void> {
    this.#isLost = false;
    try {
      this.#metrics = await this.#openMetrics(this.#options);
      if (this.#isClosed) await closeAll(this.#metrics);
    } catch (error) {
      this.#isLost = true;
      this.#metrics = [];
      this.#context.logger.error(reasonOf(error));
    }
  }

  /** Whoever has taken the port keeps nobody from other options. */
  async reload(next: StatusServiceOptions): Promise<void> {
    if (this.#nextMetrics !== undefined) {
      void closeAll(this.#metrics);
      this.#metrics = this.#nextMetrics;
      this.#nextMetrics = undefined;
      this.#isLost = false;
    }
    this.#options = { ...this.#options, ...pickLive(next) };
    if (this.#isLost) await this.#reopen();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.server.close();
    void closeAll(this.#metrics);
  }

  #openSocket(): Serving | undefined {
    const { makeRunFolder, openUnixStreams, runtimeDirectory } = this.#world;
    const socket = statusSocketOf(this.#options, runtimeDirectory);
    if (socket === undefined) return undefined;
    const { path, folder } = socket;
    try {
      if (folder !== undefined) makeRunFolder(folder);
      const listener = openUnixStreams().listen({ path });
      // Who may connect may ask as often as they like, for all that there is.
      return this.#serve(listener, `'${path}'`, {
        source: this.#context.report,
        control: this.#context.control,
        members: this.#context.members,
        connections: () => Infinity,
      });
    } catch (cause) {
      const reason = `${reasonOf(cause)} (--status-socket)`;
      if (folder === undefined) throw new Error(reason, { cause });
      this.#context.logger.warning(
        `${reason}: 'anytun status' cannot ask this daemon`,
      );
      return undefined;
    }
  }

  async #openMetrics(
    { metrics }: StatusServiceOptions,
  ): Promise<readonly Serving[]> {
    if (metrics === undefined) return [];
    const { host, port } = metrics;
    const { delay, listenTcp, openOwners } = this.#world;
    const source = new SparedSource(this.#context.report, delay);
    const name = parseAddress(host) === undefined ? host : undefined;
    const connections = () => this.#options.metricsConnections;
    const servers: Serving[] = [];
    try {
      for (const address of await this.#addressesOf(metrics)) {
        const listener = listenTcp({ address, port });
        const place = formatEndpoint(listener.local);
        const site = { source, connections, hostName: name };
        const users = tellingUsers(listener, openOwners);
        servers.push(this.#serve(users, place, site));
        this.#announce(place, address);
      }
      return servers;
    } catch (cause) {
      await closeAll(servers);
      throw new Error(
        `Cannot listen on ${host}, port ${port} (--metrics): ` +
          reasonOf(cause),
        { cause },
      );
    }
  }

  #announce(place: string, address: IpAddress): void {
    const { logger } = this.#context;
    logger.notice(`metrics at http://${place}/`);
    if (isLoopback(address)) return;
    logger.info(
      `metrics at http://${place}/ can be read from other hosts, by anybody ` +
        "who reaches it",
    );
  }

  #serve(
    listener: StreamListener,
    title: string,
    site: Omit<StatusSiteOptions, "pause">,
  ): Serving {
    const { limited: log } = this.#context;
    const { delay } = this.#world;
    const own = new StatusSite({ ...site, pause: () => delay(0) });
    const answer = own.answer.bind(own);
    const hasChanges = site.control !== undefined;
    const server = new StatusServer({
      ...{ listener, hasChanges, title, answer, delay, log },
    });
    // Its failures are lines of the log: the tunnel does not depend on it.
    return { server, over: server.run() };
  }

  async #addressesOf({ host }: HostPort): Promise<readonly IpAddress[]> {
    const address = parseAddress(host);
    if (address !== undefined) return [address];
    return await this.#world.lookup(host, "any");
  }
}

interface Serving {
  readonly server: StatusServer;
  /** Once it is closed: until then its socket may be there. */
  readonly over: Promise<void>;
}

async function closeAll(all: readonly Serving[]): Promise<void> {
  for (const { server } of all) server.close();
  await Promise.all(all.map(({ over }) => over));
}

function pickLive(
  { metrics, metricsConnections }: StatusServiceOptions,
): Pick<StatusServiceOptions, "metrics" | "metricsConnections"> {
  return { metrics, metricsConnections };
}

function isSamePlace(
  a: HostPort | undefined,
  b: HostPort | undefined,
): boolean {
  return a?.host === b?.host && a?.port === b?.port;
}
