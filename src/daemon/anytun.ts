/**
 * The daemon from start to end. The order is that of CLI section 3 with one
 * change: device, sockets and script come while the privileges last, so that
 * nothing can fail after they are gone but the peer's name.
 *
 * @module
 */
import type { AnytunOptions } from "../config/anytun.ts";
import type { Log } from "../log/log.ts";
import type { Logger } from "../log/logger.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import { formatPrefix } from "../net/prefix.ts";
import { Resolver } from "../net/resolver.ts";
import { withNumericZone } from "../net/zone.ts";
import { RouteTable } from "../route/table.ts";
import { type MasterSecrets, masterSecrets } from "../satp/secrets.ts";
import { BindError } from "../tunnel/bind_error.ts";
import { ConnectionTable } from "../tunnel/connection_table.ts";
import { NumberSpaces } from "../tunnel/number_spaces.ts";
import type {
  DeviceHandle,
  PlaneBuilder,
  RunningPlane,
} from "../tunnel/plane.ts";
import { counterLines } from "./counters_text.ts";
import { Peer } from "./peer.ts";
import { PidFile } from "./pid_file.ts";
import { runPostUp } from "./post_up.ts";
import { findIdentity, giveUpPrivileges } from "./privileges.ts";
import { runProgram } from "./run_program.ts";
import { chooseSenderIds } from "./sender_ids.ts";
import { listenForSignals } from "./signals.ts";
import { unlessStopped } from "./stop.ts";
import { Supervisor } from "./supervisor.ts";
import { SYNC_LOG_LIMIT, SyncMember } from "./sync_member.ts";
import { SyncState } from "./sync_state.ts";
import { tunnelSettings } from "./tunnel_settings.ts";
import type { World } from "./world.ts";

/**
 * Runs until a signal ends it.
 *
 * @param warnings What is legal but unwise in the options
 * @returns The exit status
 */
export function runAnytun(
  options: AnytunOptions,
  warnings: readonly string[],
  world: World,
): Promise<number> {
  return runProgram({
    name: "anytun",
    options,
    warnings,
    run: (log) => new Daemon(options, world, log).run(),
  }, world);
}

/** One run of the daemon. */
class Daemon {
  readonly #options: AnytunOptions;
  readonly #world: World;
  readonly #log: Log;
  readonly #logger: Logger;
  readonly #resolver: Resolver;
  readonly #table: ConnectionTable;
  readonly #routeTable: RouteTable | undefined;
  readonly #state: SyncState;
  readonly #member: SyncMember;
  readonly #peer: Peer;
  #plane: RunningPlane | undefined;

  constructor(options: AnytunOptions, world: World, log: Log) {
    const { logger } = log;
    this.#options = options;
    this.#world = world;
    this.#log = log;
    this.#logger = logger;
    this.#resolver = new Resolver(world.lookup, world.delay, logger);
    const { cluster, mux } = options;
    if (cluster.routing) {
      this.#routeTable = new RouteTable(RouteTable.allocate());
    }
    // Without routing everything goes out under the own mux (SATP section 8).
    const headerMux = (own: number) => cluster.routing ? own : mux;
    const spaces = new NumberSpaces({ headerMux, hash: world.hash });
    this.#table = new ConnectionTable(ConnectionTable.allocate(), spaces);
    const shared = {
      interfaceIndex: (name: string) => world.control.interfaceIndex(name),
      table: this.#table,
    };
    const limited = new RateLimitedLog(logger, SYNC_LOG_LIMIT, world.elapsed);
    this.#state = new SyncState({
      ...shared,
      limited,
      routeTable: this.#routeTable,
      delay: world.delay,
      prepare: (mux) => void this.#plane?.prepare(mux),
      dropRetired: () => this.#plane?.dropRetired(),
    });
    this.#member = new SyncMember(cluster, this.#state, world, logger, limited);
    this.#peer = new Peer(options, {
      ...shared,
      logger,
      resolver: this.#resolver,
      moved: (mux) => this.#member.moved(mux),
    });
  }

  async run(): Promise<void> {
    const world = this.#world;
    const options = this.#options;
    const logger = this.#logger;
    // It goes last: whoever sees no pid file any more finds no device either.
    using pidFile = new PidFile(options, world, logger);
    using cleanup = new DisposableStack();
    const stop = this.#listen(cleanup);
    const notifySocket = world.openNotifySocket();
    const supervisor = cleanup.use(new Supervisor(notifySocket, logger));
    stop.addEventListener("abort", () => supervisor.stopping());

    const identity = findIdentity(options, world.control);
    const { kdPrf } = options;
    const secrets = options.secrets &&
      await masterSecrets(kdPrf, options.secrets, world.digest);
    logger.notice(`KeyDerivation: using role ${options.role}`);
    this.#addRoutes();

    supervisor.status("opening the device");
    const senderIds = chooseSenderIds(options.senderIds, world.random);
    const settings = tunnelSettings(options, senderIds);
    const builder = cleanup.use(await world.choosePlane(settings, logger));
    logger.notice(builder.description);
    const device = this.#openDevice(builder);
    await this.#bindSockets(builder, stop);
    cleanup.defer(() => this.#member.close());
    await this.#member.open(identity);
    if (stop.aborted) return;
    const plane = await builder.start({
      table: this.#table,
      routes: this.#routeTable,
      moved: (mux) => this.#member.moved(mux),
    }, stop);
    this.#plane = plane;
    stop.addEventListener("abort", () => plane.stop());
    if (stop.aborted) plane.stop();

    supervisor.status("running the post-up script");
    await Promise.race([this.#runPostUp(device), plane.finished]);
    if (options.chroot !== undefined) {
      supervisor.status("looking for the peer");
      await Promise.race([this.#peer.look(), plane.finished]);
    }
    if (stop.aborted) return await plane.finished;
    pidFile.place(() =>
      giveUpPrivileges(options, identity, world.control, logger)
    );
    logger.notice("tunnel is set up");
    world.launcher.ready();
    supervisor.ready(world.pid);
    await Promise.all([
      secrets && this.#connect(secrets, plane, stop),
      this.#member.run(kdPrf, stop),
      plane.finished,
    ]);
  }

  async #connect(
    secrets: MasterSecrets,
    plane: RunningPlane,
    stop: AbortSignal,
  ): Promise<void> {
    await this.#peer.connect(secrets, stop);
    await plane.prepare(this.#options.mux);
  }

  #addRoutes(): void {
    const { cluster: { routing, routes }, mux } = this.#options;
    if (!routing) {
      this.#logger.notice(
        "No sync/control host defined or not a tun device. " +
          "Disabling multi connection support (routing)",
      );
    }
    for (const { address: network, length: prefixLength } of routes) {
      if (this.#state.putRoute({ network, prefixLength, mux })) continue;
      throw new Error(`Cannot add more routes (--route): there are too many`);
    }
  }

  #listen(cleanup: DisposableStack): AbortSignal {
    const actions = {
      reload: () => {
        this.#log.reopen();
        void this.#peer.lookAgain();
      },
      report: () => {
        this.#log.reopen();
        this.#logCounters();
      },
    };
    const { onSignal } = this.#world;
    return listenForSignals(onSignal, this.#logger, actions, cleanup);
  }

  #logCounters(): void {
    const plane = this.#plane?.counters();
    for (const line of counterLines(this.#table, plane)) {
      this.#logger.notice(line);
    }
  }

  #openDevice(builder: PlaneBuilder): DeviceHandle {
    const { device: { name, type }, ifconfig, mtu = 1400 } = this.#options;
    const device = builder.openDevice(name);
    this.#logger.notice(
      `dev opened - name '${device.name}', node '/dev/net/tun'`,
    );
    this.#logger.notice(`dev type is '${type}'`);
    if (ifconfig.length > 0) {
      const addresses = ifconfig.map(formatPrefix);
      device.configure({ addresses, mtu, up: true });
    }
    return device;
  }

  async #bindSockets(builder: PlaneBuilder, stop: AbortSignal): Promise<void> {
    const { localHost, localPort: port, family } = this.#options;
    if (localHost === undefined) {
      this.#logSockets(listening(
        `port ${port} (--port)`,
        () => builder.bindToAll(family, port),
      ));
      return;
    }
    const request = { host: localHost, port, family, signal: stop };
    const resolving = this.#resolver.resolveOnce(request).catch((error) => {
      this.#world.launcher.waiting(
        `anytun: Cannot resolve '${localHost}' (--interface) yet: ` +
          `${textOf(error)}; trying again`,
      );
      return this.#resolver.resolve(request);
    });
    const endpoints = await unlessStopped(resolving, stop);
    if (endpoints === undefined) return;
    const { control } = this.#world;
    const addresses = endpoints.map(({ address }) =>
      withNumericZone(address, (name) => control.interfaceIndex(name))
    );
    const bound = listening(
      `${localHost}, port ${port} (--interface, --port)`,
      () => builder.bind(addresses, port),
    );
    // With the names of zones as they were given.
    this.#logSockets(endpoints.map(({ address }, k) => {
      return { address, port: bound[k]?.port ?? port };
    }));
  }

  #logSockets(bound: readonly Endpoint[]): void {
    for (const endpoint of bound) {
      this.#logger.notice(`opening socket: ${formatEndpoint(endpoint)}`);
    }
  }

  /** Waits for the script only if the daemon depends on it. */
  async #runPostUp(device: DeviceHandle): Promise<void> {
    const { control } = this.#world;
    const done = runPostUp(this.#options, device, control, this.#logger);
    if (this.#options.postUp?.required) return await done;
    done.catch((error) => this.#logger.error(textOf(error)));
  }
}

function listening<T>(where: string, bind: () => T): T {
  try {
    return bind();
  } catch (cause) {
    const reason = cause instanceof BindError ? cause.reason : textOf(cause);
    throw new Error(`Cannot listen on ${where}: ${reason}`, { cause });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
