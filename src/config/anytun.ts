// The options of the program `anytun`.
import type { LogTarget } from "../log/target.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { Role, SatpParameters } from "../satp/params.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import { announceOf, type AnnounceOptions, announceRows } from "./announce.ts";
import { clusterOf, type ClusterOptions, clusterRows } from "./cluster.ts";
import {
  type CommandLine,
  type Program,
  readCommandLine,
  type ReadConfig,
} from "./command_line.ts";
import type { Warn } from "./fault.ts";
import {
  ANY_SENDER_ID,
  type SenderIdRange,
  type SocketChoices,
} from "../tunnel/settings.ts";
import {
  allowWrapRow,
  DEFAULT_SENDER_ID,
  muxRow,
  ownWindowSizeRow,
  roleOf,
  roleRow,
  routesRow,
  senderIdRow,
  stateDirRow,
  windowSizeOf,
} from "./connection.ts";
import {
  deviceOf,
  type DeviceOptions,
  deviceRows,
  mtuOf,
  postUpOf,
  type PostUpOptions,
} from "./device.ts";
import {
  daemonOf,
  type DaemonOptions,
  daemonRows,
  daemonSections,
  generalRows,
} from "./general.ts";
import { healthOf, type HealthOptions, healthRows } from "./health.ts";
import type { HelpSection } from "./help.ts";
import { configFileRows } from "./config_place.ts";
import type { ConfigSource } from "./config_source.ts";
import {
  type KernelRouteOptions,
  kernelRouteRows,
  kernelRoutesOf,
} from "./kernel_routes.ts";
import { namespaceRow } from "./namespace.ts";
import { checkKeyChain, keyChainRow } from "./key_chain.ts";
import {
  algorithmRows,
  kdPrfRow,
  parametersOf,
  secretsIfGiven,
  secretsOf,
} from "./keys.ts";
import { daemonLogTargetsOf, debugRow, logFormatRow, logRow } from "./log.ts";
import {
  familyOf,
  familyRows,
  localRows,
  noRoamingRow,
  peerRows,
  remoteRows,
  requireFamily,
} from "./network.ts";
import { pathOf, type PathOptions, pathRows } from "./path.ts";
import { callOf, type ProgramName, PROGRAMS } from "./programs.ts";
import type { InForce } from "./reading.ts";
import { secretRows } from "./secrets.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import { socketRows, socketsOf } from "./socket.ts";
import {
  trafficClassOf,
  type TrafficClassOptions,
  trafficClassRows,
} from "./traffic_class.ts";
import { speedOf, type SpeedOptions, speedRows } from "./speed.ts";
import { statusOf, type StatusOptions, statusRows } from "./status.ts";
import { type OptionValues, pick, type Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/** Every option, in the order of the help text (CLI section 2). */
export const anytunTable = {
  ...generalRows,
  ...configFileRows,
  ...daemonRows,
  log: logRow("syslog:3,anytun,daemon; in the foreground stderr:3"),
  logFormat: logFormatRow,
  debug: debugRow,
  ...statusRows,
  ...healthRows,
  ...localRows,
  ...remoteRows,
  noRoaming: noRoamingRow,
  ...peerRows,
  ...socketRows,
  ...trafficClassRows,
  ...familyRows,
  ...pathRows,
  ...deviceRows,
  netns: namespaceRow,
  ...kernelRouteRows,
  senderIds: senderIdRow,
  stateDir: stateDirRow,
  allowWrap: allowWrapRow,
  mux: muxRow,
  windowSize: ownWindowSizeRow,
  role: roleRow,
  routes: routesRow,
  ...secretRows,
  keyChain: keyChainRow,
  kdPrf: kdPrfRow,
  ...algorithmRows,
  ...speedRows,
  ...clusterRows,
  ...announceRows,
};

const sections: readonly HelpSection[] = [
  {
    title: "Example, the other end of which has -e left and no -r",
    lines: [
      "anytun --key-file key --salt-file salt \\",
      "  -r 192.0.2.1 -e right -n 10.99.0.2/24",
    ],
  },
  ...daemonSections(
    "take over options that have changed",
    "the counters of all connections",
  ),
  {
    title: "Programs of this binary, each with a --help of its own",
    lines: [
      ...Object.entries(PROGRAMS).map(([name, purpose]) =>
        `${callOf(name as ProgramName).padEnd(17)}  ${purpose}`
      ),
      "anytun help        print this text, or that of a program named behind it",
      "anytun version     print the version",
    ],
  },
];

type AnytunSettings = Settings<typeof anytunTable>;

/** Options that mean the same to the daemon as to the command line. */
const plainRows = {
  logFormat: logFormatRow,
  ...localRows,
  ...remoteRows,
  noRoaming: noRoamingRow,
  ...peerRows,
  ifconfig: deviceRows.ifconfig,
  netns: namespaceRow,
  downScript: deviceRows.downScript,
  keyChain: keyChainRow,
  stateDir: stateDirRow,
  allowWrap: allowWrapRow,
  mux: muxRow,
  drainTime: announceRows.drainTime,
};
type PlainOptions = OptionValues<typeof plainRows>;

/**
 * Validated options of `anytun`. Cipher, key derivation, authentication and
 * tag length are those in force, not just those given.
 */
export interface AnytunOptions
  extends
    DaemonOptions,
    PlainOptions,
    SpeedOptions,
    PathOptions,
    TrafficClassOptions,
    SatpParameters,
    StatusOptions,
    HealthOptions,
    ConfigSource {
  /** Never twice to one stream. */
  readonly logTargets: readonly LogTarget[];
  /** Restricts the sockets and what names resolve to. */
  readonly family: FamilyChoice;
  readonly sockets: SocketChoices;
  readonly kernelRoutes: KernelRouteOptions | undefined;
  readonly device: DeviceOptions;
  /** Bytes, 68 to 65535; only if there is an address for the device. */
  readonly mtu: number | undefined;
  readonly postUp: PostUpOptions | undefined;
  /** Tell apart senders that share keys and address, and starts of one. */
  readonly senderIds: SenderIdRange;
  /** Sequence numbers in the replay window; 0 checks nothing. */
  readonly windowSize: number;
  readonly role: Role;
  /**
   * Enough for key and salt, unless the key derivation is `null`. Without any,
   * and without a key chain, there is no connection but those that the cluster
   * tells of.
   */
  readonly secrets: GivenSecrets | undefined;
  readonly cluster: ClusterOptions;
  /** What comes and goes with the health of this member. */
  readonly announce: AnnounceOptions | undefined;
}

/** What its arguments and its config file are to the program. */
export function anytunProgram(
  runtime: Runtime,
  files: HostFiles,
): Program<typeof anytunTable, AnytunOptions> {
  return {
    name: "anytun",
    table: anytunTable,
    sections,
    settle: (settings: AnytunSettings, warn, config) =>
      settle(settings, { runtime, files, warn }, config),
  };
}

/** Touches nothing outside but the config file, and those that hold secrets. */
export function readAnytunCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: HostFiles,
  inForce?: InForce,
): CommandLine<AnytunOptions> {
  return readCommandLine(
    anytunProgram(runtime, files),
    argv,
    runtime,
    { files, inForce },
  );
}

function settle(
  settings: AnytunSettings,
  surroundings: Surroundings,
  { source }: ReadConfig,
): AnytunOptions {
  const { values, names } = settings;
  const { warn } = surroundings;
  const family = familyOf(settings);
  const role = roleOf(settings);
  requireFamily(names.localHost, values.localHost, family);
  requireFamily(names.remoteHost, values.remoteHost, family);
  const daemon = daemonOf(settings, warn);
  const logTargets = daemonLogTargetsOf(settings, daemon.foreground, warn);
  const device = deviceOf(settings, warn);
  const parameters = parametersOf(settings, warn);
  const cluster = clusterOf(settings, surroundings);
  const isTold = cluster.syncServers.length > 0;
  const isMember = isTold || cluster.syncServer !== undefined;
  const senderIds = senderIdsOf(settings, isMember, warn);
  const { kdPrf } = parameters;
  const isChained = checkKeyChain(settings, kdPrf, senderIds, surroundings);
  const readSecrets = isTold ? secretsIfGiven : secretsOf;
  const secrets = isChained
    ? undefined
    : readSecrets(settings, kdPrf, surroundings);
  const windowSize = windowSizeOf(values);
  const hasKeys = isChained || secrets !== undefined;
  warnOfConnection(settings, windowSize, hasKeys, warn);
  return {
    ...pick(values, plainRows),
    ...daemon,
    ...parameters,
    ...speedOf(settings),
    sockets: socketsOf(settings),
    ...trafficClassOf(settings),
    kernelRoutes: kernelRoutesOf(settings, device.type === "tun", warn),
    ...pathOf(settings, device.type),
    ...statusOf(settings, warn),
    ...healthOf(settings, cluster.syncServers, warn),
    ...{ logTargets, family, device, windowSize, role, secrets, senderIds },
    cluster,
    announce: announceOf(settings, warn),
    ...source,
    mtu: mtuOf(settings, device.type, parameters.tagLength, warn),
    postUp: postUpOf(settings, warn),
  };
}

/** Originals of a cluster have the same one each, and say nothing of it. */
function senderIdsOf(
  { values: { senderIds }, names }: AnytunSettings,
  isMember: boolean,
  warn: Warn,
): SenderIdRange {
  if (senderIds !== undefined) return senderIds;
  if (!isMember) return ANY_SENDER_ID;
  warn(
    `${names.senderIds} is ${DEFAULT_SENDER_ID.first}, as of every member that ` +
      "is not told another: two that serve the same clients use key streams " +
      "twice; give each its own, such as 256-511, or 0 where there is one",
  );
  return DEFAULT_SENDER_ID;
}

/** @param isOwn Whether there is a connection that no other member tells of */
function warnOfConnection(
  { values: { remoteHost }, names }: AnytunSettings,
  windowSize: number,
  isOwn: boolean,
  warn: Warn,
): void {
  if (!isOwn && remoteHost !== undefined) {
    warn(
      `${names.remoteHost} (-r) has no effect without a key or a passphrase`,
    );
  }
  // Windows of connections that others tell of come with them.
  if (isOwn && windowSize === 0) {
    warn(
      `window size is 0 (${names.windowSize}): replayed packets are accepted`,
    );
  }
}
