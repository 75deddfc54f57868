// The daemon `anytun`.
import type { AnytunOptions } from "../config/anytun.ts";
import { Resolver } from "../net/resolver.ts";
import { RouteTable } from "../route/table.ts";
import { type MasterSecrets, masterSecrets } from "../satp/secrets.ts";
import type { KeptState } from "../state/kept_state.ts";
import { ConnectionTable } from "../tunnel/connection_table.ts";
import { LiveSettings } from "../tunnel/live_settings.ts";
import { NumberSpaces } from "../tunnel/number_spaces.ts";
import { DataPlane, DeviceAndSockets } from "./data_plane.ts";
import { KeptNumbers, openState } from "./kept_numbers.ts";
import { KeyRotation } from "./key_rotation.ts";
import type { Service } from "./lifecycle.ts";
import { Peer } from "./peer.ts";
import { postUpScript } from "./post_up.ts";
import type { Configured } from "./reload.ts";
import { type Frame, runProgram } from "./run_program.ts";
import { SyncMember } from "./sync_member.ts";
import { SyncState } from "./sync_state.ts";
import type { World } from "./world.ts";

export function runAnytun(
  configured: Configured<AnytunOptions>,
  world: World,
): Promise<number> {
  const { options } = configured;
  return runProgram({
    name: "anytun",
    configured,
    started: "tunnel is set up",
    server: options.cluster.syncServer,
    services: (frame) => servicesOf(options, world, frame),
  }, world);
}

/**
 * The order is that of CLI section 3, but device, sockets and script come while
 * the privileges last: afterwards nothing can fail but the peer's name.
 */
async function servicesOf(
  options: AnytunOptions,
  world: World,
  frame: Frame,
): Promise<readonly Service<AnytunOptions>[]> {
  const { logger, limited } = frame;
  const { cluster, kdPrf, keyChain, mux } = options;
  const fixed = await fixedSecrets(options, world);
  logger.notice(`KeyDerivation: using role ${options.role}`);
  const routes = cluster.routing
    ? new RouteTable(RouteTable.allocate())
    : undefined;
  const state = openState(options, world, frame);
  const table = newTable(options, world, state);
  const live = new LiveSettings();
  const interfaceIndex = (name: string) => world.control.interfaceIndex(name);
  const moved = (mux: number) => member.moved(mux);
  const prepare = (mux: number): Promise<void> => plane.prepare(mux);
  const dropRetired = () => plane.dropRetired();

  const syncState = new SyncState({
    ...{ table, interfaceIndex, limited },
    routeTable: routes,
    chainMux: keyChain === undefined ? undefined : mux,
    delay: world.delay,
    prepare: (mux) => void prepare(mux),
    dropRetired,
  });
  const member = new SyncMember(
    cluster,
    { ...frame, state: syncState, kdPrf },
    world,
  );
  const keys = { ...frame, table, moved, prepare, dropRetired };
  const rotation = keyChain === undefined
    ? undefined
    : new KeyRotation(keyChain, options, keys, world);
  const ends = new DeviceAndSockets(
    ...[options, world, logger, state?.numbers] as const,
    rotation && ((ids) => rotation.claim(ids)),
  );
  const plane = new DataPlane(ends, {
    ...{ table, routes, moved, live },
    accepted: state?.accepted,
    refused: rotation && ((datagram) => rotation.refused(datagram)),
  }, world.elapsed);
  const resolver = new Resolver(world.lookup, world.delay, logger);
  const secrets = rotation ? () => rotation.secrets() : fixed;
  const peer = new Peer(options, {
    ...{ interfaceIndex, logger, moved, prepare, resolver, secrets, table },
  });
  addRoutes(options, syncState, frame);
  const device = () => ends.device;
  const script = postUpScript(options, device, world.control, logger);
  const numbers = new KeptNumbers(options, state, table, world);
  return [
    numbers,
    ...(rotation ? [rotation] : []),
    ...[ends, member, plane],
    ...(options.postUp ? [script] : []),
    peer,
  ];
}

function newTable(
  { allowWrap, cluster: { routing }, mux }: AnytunOptions,
  world: World,
  state: KeptState | undefined,
): ConnectionTable {
  const spaces = new NumberSpaces({
    // Without routing everything goes out under the own mux (SATP section 8).
    headerMux: (own) => routing ? own : mux,
    hash: world.hash,
    store: state?.numbers,
    allowWrap,
    now: world.elapsed,
  });
  return new ConnectionTable(ConnectionTable.allocate(), spaces);
}

async function fixedSecrets(
  { kdPrf, secrets: given }: AnytunOptions,
  { digest }: World,
): Promise<(() => MasterSecrets) | undefined> {
  if (given === undefined) return undefined;
  const secrets = await masterSecrets(kdPrf, given, digest);
  return () => secrets;
}

function addRoutes(
  { cluster: { routing, routes }, mux }: AnytunOptions,
  state: SyncState,
  { logger }: Frame,
): void {
  if (!routing) {
    logger.notice(
      "No sync/control host defined or not a tun device. " +
        "Disabling multi connection support (routing)",
    );
  }
  for (const { address: network, length: prefixLength } of routes) {
    if (state.putRoute({ network, prefixLength, mux })) continue;
    throw new Error(`Cannot add more routes (--route): there are too many`);
  }
}
