// Options of a cluster (CLI section 2, sync section 1, SATP section 8).
import {
  formatPlaceName,
  isOnThisHost,
  isUnixSocket,
  type PlaceName,
} from "../net/place.ts";
import type { Prefix } from "../net/prefix.ts";
import type { SyncTrust } from "../sync/transport.ts";
import type { Surroundings } from "./host_files.ts";
import type { Warn } from "./fault.ts";
import type { routesRow } from "./connection.ts";
import type { deviceRows } from "./device.ts";
import type { kernelRouteRows } from "./kernel_routes.ts";
import { syncServerRows } from "./sync_servers.ts";
import {
  type MemberRights,
  memberRightsOf,
  memberRightsRow,
} from "./member_rights.ts";
import { host } from "./network.ts";
import { flag, optional } from "./option.ts";
import { portOrSocket } from "./host_port.ts";
import { syncTlsOf, syncTlsRows } from "./sync_tls.ts";
import type { Settings } from "./values.ts";

/** Who is trusted with what members tell each other. */
export const syncTrustRows = {
  ...syncTlsRows,
  syncAnyUser: flag({
    group: "Cluster",
    long: "--sync-any-user",
    help: "over TCP on loopback, trust every user of this host, and not only " +
      "root and the daemon's: any of them can then read all keys, and bring in " +
      "keys and routes",
  }),
};

export const clusterRows = {
  syncHost: optional({
    group: "Cluster",
    short: "-I",
    long: "--sync-interface",
    argument: "host",
    parse: host,
    help:
      "local address or name of the synchronisation server (default loopback)",
  }),
  syncPort: optional({
    group: "Cluster",
    short: "-S",
    long: "--sync-port",
    argument: "port",
    parse: portOrSocket,
    help: "serve the connections of this server to others on this port, or " +
      "on unix:<path> to root and the own user alone",
  }),
  ...syncServerRows,
  memberRights: memberRightsRow,
  ...syncTrustRows,
  anySource: flag({
    group: "Cluster",
    long: "--any-source",
    help: "take packets of any source address from each peer, and not only " +
      "from the networks that are routed to it",
  }),
};

/** What `anytun` is told about the cluster that it is a member of. */
export interface ClusterOptions extends SyncTrust {
  readonly syncServer: PlaceName | undefined;
  /** Members and control daemons to take connections from. */
  readonly syncServers: readonly PlaceName[];
  /** Those of them that are control daemons. */
  readonly controlHosts: readonly PlaceName[];
  /** What the others are believed. */
  readonly memberRights: MemberRights;
  /** Whether the destination of a packet decides on its connection. */
  readonly routing: boolean;
  /** Whether peers may send from addresses that are not routed to them. */
  readonly anySource: boolean;
  /** Networks that lie behind the own peer. */
  readonly routes: readonly Prefix[];
}

type ClusterSettings = Settings<
  & typeof clusterRows
  & typeof deviceRows
  & typeof kernelRouteRows
  & { readonly routes: typeof routesRow }
>;

/** Without TLS whoever connects gets all keys. */
const LOOPBACK = "127.0.0.1";

export function clusterOf(
  settings: ClusterSettings,
  surroundings: Surroundings,
): ClusterOptions {
  const { values, names } = settings;
  const { warn } = surroundings;
  const syncServer = syncServerOf(settings, warn);
  const controlHosts = values.controlHosts.flat();
  const syncServers = [...values.syncHosts.flat(), ...controlHosts];
  warnOfItself(settings, syncServer, warn);
  const all = syncServer ? [syncServer, ...syncServers] : syncServers;
  const trust = trustOf(settings, all, surroundings);
  if (trust.syncTls && all.length === 0) {
    warn(
      `${names.syncTlsCert} has no effect without --sync-port (-S), ` +
        "--sync-hosts (-M) or --control-host (-X)",
    );
  }
  const { deviceName, deviceType } = values;
  const isTun = (deviceType ?? (deviceName === undefined ? "tun" : "")) ===
    "tun";
  const routing = isTun && syncServers.length > 0;
  const routes = values.routes.flat();
  const isOfUse = routing || syncServer !== undefined || values.routesInstall;
  if (routes.length > 0 && !isOfUse) {
    warn(
      `${names.routes} (-R) has no effect without --sync-hosts (-M) or ` +
        "--control-host (-X), and --type tun, or --routes-install",
    );
  }
  const { anySource } = values;
  if (anySource && !routing) {
    warn(
      `${names.anySource} has no effect without --sync-hosts (-M) or ` +
        "--control-host (-X), and --type tun: nothing is filtered",
    );
  }
  return {
    ...{ syncServer, syncServers, controlHosts },
    memberRights: memberRightsOf(settings, warn),
    ...trust,
    ...{ routing, anySource, routes },
  };
}

function syncServerOf(
  settings: ClusterSettings,
  warn: Warn,
): PlaceName | undefined {
  const { values: { syncHost, syncPort: at }, names } = settings;
  if (typeof at === "number") {
    if (syncHost === undefined) warnOfLoneServer(settings, warn);
    return { host: syncHost ?? LOOPBACK, port: at };
  }
  if (syncHost !== undefined) {
    const why = at === undefined
      ? "without --sync-port (-S)"
      : `with ${names.syncPort} (-S) unix:`;
    warn(`${names.syncHost} (-I) has no effect ${why}`);
  }
  return at;
}

/**
 * The originals listen on every address without `-I`, and so do the examples
 * of their manual: members there are to follow this one, and cannot.
 */
function warnOfLoneServer(
  { values: { syncHosts }, names }: ClusterSettings,
  warn: Warn,
): void {
  const other = syncHosts.flat().find((place) => !isOnThisHost(place));
  if (other === undefined) return;
  warn(
    `${names.syncPort} (-S) listens on ${LOOPBACK} alone, but ` +
      `${names.syncHosts} (-M) names ${formatPlaceName(other)}: for others ` +
      "to follow this server, add --sync-interface (-I) with an address that " +
      "they reach",
  );
}

/** Whoever gives all members the same list: each is none of the others. */
function warnOfItself(
  { values: { syncHosts }, names }: ClusterSettings,
  self: PlaceName | undefined,
  warn: Warn,
): void {
  if (self === undefined) return;
  const text = formatPlaceName(self);
  if (!syncHosts.flat().some((place) => formatPlaceName(place) === text)) {
    return;
  }
  warn(
    `${names.syncHosts} (-M) names this server itself, ${text}: leave it out, ` +
      "and name the others alone",
  );
}

/**
 * Who is trusted, with warnings of what has no effect, and of what trusts too
 * many.
 * @param places Where streams come from and go to
 */
export function trustOf(
  settings: Settings<typeof syncTrustRows>,
  places: readonly PlaceName[],
  surroundings: Surroundings,
): SyncTrust {
  const { values: { syncAnyUser }, names } = settings;
  const { warn } = surroundings;
  const syncTls = syncTlsOf(settings, surroundings);
  const usesTcp = places.some((place) => !isUnixSocket(place));
  if (syncTls && places.length > 0 && !usesTcp) {
    warn(`${names.syncTlsCert} has no effect on unix: sockets`);
  }
  if (syncAnyUser) {
    const without = usesTcp
      ? syncTls && " has no effect with --sync-tls-cert"
      : " has no effect without TCP";
    warn(
      names.syncAnyUser + (without ??
        " lets every user of this host read all keys, and bring in keys and " +
          "routes, over TCP on loopback"),
    );
  }
  return { syncTls, syncAnyUser };
}
