/**
 * The daemon from start to end, in the order of CLI section 3 as far as the
 * foreground needs it.
 *
 * @module
 */
import type { AnytunOptions } from "../config/anytun_options.ts";
import { openLog } from "../log/log.ts";
import type { Logger } from "../log/logger.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import { formatPrefix } from "../net/prefix.ts";
import { Resolver } from "../net/resolver.ts";
import { masterSecrets } from "../satp/secrets.ts";
import { Connections } from "../tunnel/connection.ts";
import { ConnectionTable, endpointWords } from "../tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../tunnel/counters.ts";
import { writeEndpoint } from "../tunnel/endpoint_words.ts";
import { PointToPoint } from "../tunnel/point_to_point.ts";
import { PortablePlane } from "../tunnel/portable_plane.ts";
import type { DatagramSocket } from "../tunnel/seams.ts";
import { PlaneLog } from "./plane_log.ts";
import type { ConfigurableDevice, SignalName, World } from "./world.ts";

const EXIT_OK = 0;
const EXIT_FAILED = 255;

const SIGNAL_TEXT: Readonly<Record<SignalName, string>> = {
  SIGTERM: "SIG-Term caught, exiting",
  SIGINT: "SIG-Int caught, exiting",
};

/**
 * Runs until a signal ends it.
 *
 * @param warnings What is legal but unwise in the options
 * @returns The exit status
 */
export async function runAnytun(
  options: AnytunOptions,
  warnings: readonly string[],
  world: World,
): Promise<number> {
  try {
    using log = openLog(options.logTargets, world);
    const { logger } = log;
    logger.notice("anytun started...");
    for (const warning of warnings) logger.warning(warning);
    try {
      await serve(options, world, logger);
    } catch (error) {
      logger.error(`uncaught runtime error, exiting: ${textOf(error)}`);
      throw error;
    }
    return EXIT_OK;
  } catch (error) {
    const line = `anytun: ${textOf(error)}\n`;
    world.stderr.writeSync(new TextEncoder().encode(line));
    return EXIT_FAILED;
  }
}

async function serve(
  options: AnytunOptions,
  world: World,
  logger: Logger,
): Promise<void> {
  using cleanup = new DisposableStack();
  const stop = stopOnSignals(world, logger, cleanup);
  const device = openDevice(options, world, logger);
  cleanup.defer(() => device.close());

  const resolver = new Resolver(world.lookup, world.delay, logger);
  const sockets = await bindSockets(options, world, logger, resolver, stop);
  for (const socket of sockets) cleanup.defer(() => socket.close());
  if (stop.aborted) return;

  const table = new ConnectionTable(ConnectionTable.allocate());
  const connections = new Connections(table, world.engine);
  const planeLog = new PlaneLog(logger, () => world.monotonic());
  cleanup.defer(() => planeLog.flush());
  const plane = assemblePlane(
    options,
    world,
    device,
    sockets,
    connections,
    planeLog,
  );

  stop.addEventListener("abort", () => cleanup.dispose());
  const connected = connect(options, world, logger, resolver, table, stop)
    .then(() => connections.load(options.mux));
  await Promise.all([connected, plane.run()]);
}

function stopOnSignals(
  world: World,
  logger: Logger,
  cleanup: DisposableStack,
): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    const ignore = world.onSignal(name, () => {
      logger.notice(SIGNAL_TEXT[name]);
      stop.abort();
    });
    cleanup.defer(ignore);
  }
  return stop.signal;
}

function openDevice(
  options: AnytunOptions,
  world: World,
  logger: Logger,
): ConfigurableDevice {
  const device = world.openDevice(
    options.device.name,
    options.device.type,
  );
  logger.notice(`dev opened - name '${device.name}', node '/dev/net/tun'`);
  logger.notice(`dev type is '${options.device.type}'`);
  if (options.ifconfig.length === 0) return device;
  try {
    const addresses = options.ifconfig.map(formatPrefix);
    device.configure({ addresses, mtu: options.mtu ?? 1400, up: true });
    return device;
  } catch (error) {
    device.close();
    throw error;
  }
}

async function bindSockets(
  options: AnytunOptions,
  world: World,
  logger: Logger,
  resolver: Resolver,
  stop: AbortSignal,
): Promise<DatagramSocket[]> {
  const { localHost, localPort: port, family } = options;
  if (localHost === undefined) {
    const sockets = world.bindUdpToAll(family, port);
    if (family !== "6") logger.notice(`opening socket: 0.0.0.0:${port}`);
    if (sockets.some((socket) => socket.reaches(6))) {
      logger.notice(`opening socket: [::]:${port}`);
    }
    return sockets;
  }
  const request = { host: localHost, port, family, signal: stop };
  const endpoints = await unlessStopped(resolver.resolve(request), stop);
  if (endpoints === undefined) return [];
  for (const endpoint of endpoints) {
    logger.notice(`opening socket: ${formatEndpoint(endpoint)}`);
  }
  return world.bindUdp(endpoints.map(({ address }) => address), port);
}

function assemblePlane(
  options: AnytunOptions,
  world: World,
  device: ConfigurableDevice,
  sockets: readonly DatagramSocket[],
  connections: Connections,
  planeLog: PlaneLog,
): PortablePlane {
  const shared = {
    connections,
    deviceType: options.device.type,
    counters: new Float64Array(PLANE_COUNTERS),
  };
  return new PortablePlane({
    params: options,
    engine: world.engine,
    device,
    sockets,
    outbound: {
      ...shared,
      chooser: new PointToPoint(connections, options.mux),
      senderId: options.senderId,
    },
    inbound: {
      ...shared,
      events: planeLog,
      now: () => world.monotonic(),
    },
    noSocket: (to) => planeLog.noSocket(to),
  });
}

// Without -r the connection waits for its endpoint; with it there is none
// before the name is resolved, so that nobody else can become the peer.
async function connect(
  options: AnytunOptions,
  world: World,
  logger: Logger,
  resolver: Resolver,
  table: ConnectionTable,
  stop: AbortSignal,
): Promise<void> {
  const secrets = await masterSecrets(
    options.kdPrf,
    options.secrets,
    world.digest,
  );
  logger.notice(`KeyDerivation: using role ${options.role}`);
  const { mux, role, windowSize, remoteHost, remotePort, family } = options;
  let endpoint: Endpoint | undefined;
  if (remoteHost !== undefined) {
    const request = {
      host: remoteHost,
      port: remotePort,
      family,
      signal: stop,
    };
    endpoint = (await unlessStopped(resolver.resolve(request), stop))?.[0];
    if (endpoint === undefined) return;
    logger.notice(`added connection remote host ${formatEndpoint(endpoint)}`);
  }
  const words = endpointWords();
  writeEndpoint(words, 0, endpoint);
  table.setEndpoint(mux, words, 0);
  table.put(mux, { role, secrets, windowSize }, 0);
}

async function unlessStopped<T>(
  work: Promise<T>,
  stop: AbortSignal,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
