// The parts of a tunnel while it runs.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { sha256Text } from "../crypto/sha256.ts";
import type { Logger } from "../log/logger.ts";
import type { IpAddress } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { withNumericZone } from "../net/zone.ts";
import { Routes } from "../route/routes.ts";
import { RouteTable } from "../route/table.ts";
import type { KeptState } from "../state/kept_state.ts";
import { ConnectionTable } from "./connection_table.ts";
import { LiveSettings } from "./live_settings.ts";
import { NumberSpaces } from "./number_spaces.ts";
import { keepUp, openState } from "./open_state.ts";
import type { PlaneBuilder, RunningPlane } from "./plane.ts";
import { chooseSenderIds, idsByGeneration } from "./sender_ids.ts";
import { ANY_SENDER_ID, DEFAULT_MTU, type TunnelSettings } from "./settings.ts";
import type { ReadOptions, TunnelOptions } from "./options.ts";

export interface OpenTunnel {
  readonly table: ConnectionTable;
  readonly routing: Routing | undefined;
  readonly plane: RunningPlane;
  readonly device: string;
  readonly bound: readonly Endpoint[];
  /** @throws if it names an interface that is not there */
  toNumericZone(endpoint: Endpoint): Endpoint;
}

export interface Routing {
  readonly routes: Routes;
  readonly table: RouteTable;
}

/**
 * The modules for it are loaded only now: a program that wants no more than a
 * codec need not have them.
 *
 * @param opened Takes what is to be closed when the plane has stopped
 */
export async function openTunnel(
  options: TunnelOptions,
  read: ReadOptions,
  opened: AsyncDisposableStack,
  moved: (mux: number) => void,
  stop: AbortSignal,
): Promise<OpenTunnel> {
  const { openProcessLibc } = await import("../../ffi/process/libc.ts");
  const libc = opened.adopt(openProcessLibc(), (libc) => libc.close());
  const { interfaceIndex } = await import("../../ffi/process/process.ts");
  const numeric = (address: IpAddress) =>
    withNumericZone(address, (name) => interfaceIndex(libc, name));
  const logger = options.logger ?? SILENT;
  const state = await openState(read.stateDir, libc, logger);
  const table = newTable(options.routing ?? false, read.mux, state);
  // Ahead of the plane, since the last one is disposed of first.
  const keeping = state && keepUp(table, state, opened);
  const senderIds = senderIdsBeside(state?.numbers.taken());
  const builder = opened.use(
    await choose(options, read, senderIds, libc, logger),
  );
  const device = openDevice(builder, options);
  state?.numbers.begin(idsByGeneration(senderIds, builder.senders));
  const bound = bind(builder, read.addresses.map(numeric), read.port);
  const routing = options.routing
    ? { routes: new Routes(), table: new RouteTable(RouteTable.allocate()) }
    : undefined;
  const live = new LiveSettings();
  live.mss = read.mss;
  const plane = await builder.start(
    { table, routes: routing?.table, accepted: state?.accepted, live, moved },
    stop,
  );
  keeping?.catch(() => plane.stop());
  return {
    table,
    routing,
    plane,
    device,
    bound,
    toNumericZone: ({ address, port }) => ({ address: numeric(address), port }),
  };
}

function senderIdsBeside(taken?: ReadonlySet<number>): readonly number[] {
  return chooseSenderIds(
    ANY_SENDER_ID,
    (words) => crypto.getRandomValues(words),
    taken,
  );
}

async function choose(
  options: TunnelOptions,
  read: ReadOptions,
  senderIds: readonly number[],
  libc: ProcessLibc,
  logger: Logger,
): Promise<PlaneBuilder> {
  const { choosePlane } = await import("./choose_plane.ts");
  const settings: TunnelSettings = {
    params: read.params,
    deviceType: options.device?.type ?? "tun",
    mux: read.mux,
    routing: options.routing ?? false,
    anySource: options.anySource ?? false,
    senderIds,
    allowWrap: false,
    mtuDiscovery: options.mtuDiscovery ?? "no",
    roaming: options.roaming ?? true,
    engine: options.engine ?? "auto",
    workers: read.workers,
    offloads: read.offloads,
  };
  const surroundings = {
    now: () => performance.timeOrigin + performance.now(),
    processors: navigator.hardwareConcurrency,
  };
  return await choosePlane(settings, libc, surroundings, logger);
}

function openDevice(
  builder: PlaneBuilder,
  { device: { name, addresses = [], mtu = DEFAULT_MTU } = {} }: TunnelOptions,
): string {
  const device = builder.openDevice(name);
  if (addresses.length > 0) device.configure({ addresses, mtu, up: true });
  return device.name;
}

function bind(
  builder: PlaneBuilder,
  addresses: readonly IpAddress[],
  port: number,
): readonly Endpoint[] {
  return addresses.length > 0
    ? builder.bind(addresses, port)
    : builder.bindToAll("any", port);
}

// Without routing everything goes out under the own mux (SATP section 8).
function newTable(
  isRouting: boolean,
  mux: number,
  state: KeptState | undefined,
): ConnectionTable {
  const spaces = new NumberSpaces({
    headerMux: (own) => isRouting ? own : mux,
    hash: sha256Text,
    store: state?.numbers,
    now: () => performance.now(),
  });
  return new ConnectionTable(ConnectionTable.allocate(), spaces);
}

const SILENT: Logger = {
  error() {},
  warning() {},
  notice() {},
  info() {},
  debug() {},
};
