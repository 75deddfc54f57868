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
import { ConnectionTable, endpointWords } from "../tunnel/connection_table.ts";
import { writeEndpoint } from "../tunnel/endpoint_words.ts";
import type { PlaneBuilder } from "./plane.ts";
import type { SignalName, World } from "./world.ts";

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
  const resolver = new Resolver(world.lookup, world.delay, logger);
  const builder = cleanup.use(await world.choosePlane(options, logger));
  logger.notice(builder.description);

  openDevice(options, builder, logger);
  await bindSockets(options, builder, logger, resolver, stop);
  if (stop.aborted) return;

  const table = new ConnectionTable(ConnectionTable.allocate());
  const plane = await builder.start({
    options,
    table,
    routes: undefined,
    logger,
  });
  stop.addEventListener("abort", () => plane.stop());
  if (stop.aborted) plane.stop();
  const connected = connect(options, world, logger, resolver, table, stop)
    .then(() => plane.prepare(options.mux));
  await Promise.all([connected, plane.finished]);
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
  builder: PlaneBuilder,
  logger: Logger,
): void {
  const { name, type } = options.device;
  const device = builder.openDevice(name, type);
  logger.notice(`dev opened - name '${device.name}', node '/dev/net/tun'`);
  logger.notice(`dev type is '${type}'`);
  if (options.ifconfig.length === 0) return;
  const addresses = options.ifconfig.map(formatPrefix);
  device.configure({ addresses, mtu: options.mtu ?? 1400, up: true });
}

async function bindSockets(
  options: AnytunOptions,
  builder: PlaneBuilder,
  logger: Logger,
  resolver: Resolver,
  stop: AbortSignal,
): Promise<void> {
  const { localHost, localPort: port, family } = options;
  if (localHost === undefined) {
    for (const bound of builder.bindToAll(family, port)) {
      const any = bound === 4 ? "0.0.0.0" : "[::]";
      logger.notice(`opening socket: ${any}:${port}`);
    }
    return;
  }
  const request = { host: localHost, port, family, signal: stop };
  const endpoints = await unlessStopped(resolver.resolve(request), stop);
  if (endpoints === undefined) return;
  builder.bind(endpoints.map(({ address }) => address), port);
  for (const endpoint of endpoints) {
    logger.notice(`opening socket: ${formatEndpoint(endpoint)}`);
  }
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
