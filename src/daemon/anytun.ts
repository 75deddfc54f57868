// The daemon `anytun`.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { Resolver } from "../net/resolver.ts";
import { RouteTable } from "../route/table.ts";
import { type MasterSecrets, masterSecrets } from "../satp/secrets.ts";
import type { KeptState } from "../state/kept_state.ts";
import { ConnectionTable } from "../tunnel/connection_table.ts";
import { LiveSettings } from "../tunnel/live_settings.ts";
import { LeavingKeys } from "../tunnel/leaving_keys.ts";
import { NumberSpaces } from "../tunnel/number_spaces.ts";
import { longWaitText, patience } from "../tunnel/record_lock.ts";
import { DataPlane, DeviceAndSockets } from "./data_plane.ts";
import { DownScript } from "./down_script.ts";
import { KeptNumbers, openState } from "./kept_numbers.ts";
import { FaultFinding } from "./fault_finding.ts";
import { KeepAliveService } from "./keep_alive.ts";
import { KernelRoutes } from "./kernel_routes.ts";
import { KeyRotation } from "./key_rotation.ts";
import type { Service } from "./lifecycle.ts";
import { OwnKeys } from "./own_keys.ts";
import { OwnRoutes } from "./own_routes.ts";
import { missingParts } from "./missing.ts";
import { Peer } from "./peer.ts";
import { PeerEvents } from "./peer_events.ts";
import { postUpScript } from "./post_up.ts";
import type { Configured } from "./reload.ts";
import { type Frame, runProgram } from "./run_program.ts";
import { StatusReport } from "./status_report.ts";
import { StatusService } from "./status_service.ts";
import { SyncCertificates } from "./sync_certificates.ts";
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
  const secretsOf = fixedSecrets(options, world);
  const secrets = await secretsOf(options);
  logger.notice(`KeyDerivation: using role ${options.role}`);
  const routes = cluster.routing
    ? new RouteTable(RouteTable.allocate())
    : undefined;
  const state = openState(options, world, frame);
  const table = newTable(options, world, state, logger);
  const live = new LiveSettings();
  live.take(options);
  const interfaceIndex = (name: string) => world.control.interfaceIndex(name);
  const interfaceName = (k: number) => world.control.interfaceName(k);
  const events = new PeerEvents(
    options,
    {
      ...{ table, interfaceName, logger },
      isPortClosed: (mux) => plane.isPortClosed(mux),
    },
    world,
  );
  const moved = (mux: number) => {
    events.lookAt(mux);
    member.moved(mux);
    if (mux === options.mux) kernelRoutes?.changed();
  };
  const prepare = (mux: number): Promise<void> => plane.prepare(mux);
  const dropRetired = () => plane.dropRetired();

  const { delay, elapsed } = world;
  const leaving = new LeavingKeys({ table, delay, dropRetired });
  const syncState = new SyncState({
    ...{ table, interfaceIndex, limited },
    routeTable: routes,
    chainMux: keyChain === undefined ? undefined : mux,
    ...{ delay, elapsed, leaving },
    routesChanged: () => kernelRoutes?.changed(),
    prepare: (mux) => void prepare(mux),
  });
  const certificates = new SyncCertificates(
    ...[options, (next: AnytunOptions) => next.cluster, logger] as const,
  );
  const member = new SyncMember(
    { ...cluster, syncTls: certificates.identity },
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
  const { cipher, authAlgo, tagLength } = options;
  const faults = new FaultFinding(options, {
    params: { cipher, kdPrf, authAlgo, tagLength },
    chained: keyChain === undefined ? undefined : mux,
    secretsWith: (kdPrf, given) => masterSecrets(kdPrf, given, world.digest),
    ...{ table, logger },
  }, world);
  const plane = new DataPlane(ends, {
    ...{ table, routes, moved, live },
    accepted: state?.accepted,
    refused: (datagram) => {
      rotation?.refused(datagram);
      faults.take(datagram);
    },
  }, elapsed);
  const peer = new Peer(options, {
    ...{ interfaceIndex, interfaceName },
    ...{ logger, moved, prepare, secretsOf, table, elapsed },
    isUnanswered: (mux) => events.isUnanswered(mux),
    every: world.every,
    resolver: new Resolver(world.lookup, delay, logger),
    secrets: rotation ? () => rotation.secrets() : secrets && (() => secrets),
    keys: new OwnKeys(options, {
      ...{ table, leaving, delay, elapsed, prepare, moved, logger },
    }),
  });
  const ownRoutes = new OwnRoutes(options, {
    ...{ state: syncState, logger },
    tell: (record) => member.tell(record),
  });
  const keepAlive = new KeepAliveService(
    ...[options, table, () => plane.sendDue(), world] as const,
  );
  const device = () => ends.device;
  const script = postUpScript(options, device, world, logger);
  const down = new DownScript(options, device, world, logger);
  const kernelRoutes = options.kernelRoutes && new KernelRoutes(
    options.kernelRoutes,
    {
      ...{ device, delay, elapsed, logger, limited },
      every: world.every,
      routes: () => syncState.routes(),
      namedPeers: (mux) =>
        [peer.address, syncState.peerOf(mux)]
          .filter((address) => address !== undefined),
    },
  );
  const missing = missingParts(
    options,
    { device, isConnected: () => peer.isConnected, logger },
    world,
  );
  const numbers = new KeptNumbers(options, state, table, world);
  const report = new StatusReport({
    ...{ options, table, interfaceName },
    ends: () => ends.status(),
    answers: () => plane.answers(world.delay),
    planeCounters: () => plane.counters(),
    peer: () => peer.remoteHost,
    routes: () => syncState.routes(),
    cluster: () => member.status(),
    keyEpoch: () => rotation?.epoch,
  }, world);
  return [
    // First and last: it tells of the others.
    new StatusService(options, { ...frame, report }, world),
    ...[numbers, ownRoutes],
    ...(rotation ? [rotation] : []),
    ...[ends, certificates, member, plane],
    ...(options.downScript === undefined ? [] : [down]),
    ...(options.postUp ? [script] : []),
    ...(kernelRoutes ? [kernelRoutes] : []),
    ...[peer, events, keepAlive, missing, faults],
  ];
}

function newTable(
  { allowWrap, cluster: { routing }, mux }: AnytunOptions,
  world: World,
  state: KeptState | undefined,
  logger: Logger,
): ConnectionTable {
  const spaces = new NumberSpaces({
    // Without routing everything goes out under the own mux (SATP section 8).
    headerMux: (own) => routing ? own : mux,
    hash: world.hash,
    store: state?.numbers,
    allowWrap,
    now: world.elapsed,
  });
  const waitsOn = patience((mux) => logger.warning(longWaitText(mux), { mux }));
  const shared = ConnectionTable.allocate();
  return new ConnectionTable(shared, spaces, undefined, waitsOn);
}

/** Copies, of options that may be read again: they are to be overwritten. */
function fixedSecrets(
  { kdPrf }: AnytunOptions,
  { digest }: World,
): (
  options: Pick<AnytunOptions, "secrets">,
) => Promise<MasterSecrets | undefined> {
  return async ({ secrets: given }) => {
    if (given === undefined) return undefined;
    return await masterSecrets(kdPrf, given, digest);
  };
}
