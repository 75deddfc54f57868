/**
 * What the options about a cluster mean together (sync section 1, SATP
 * section 8).
 *
 * @module
 */
import { parseDecimal } from "../net/decimal.ts";
import { isUnixSocket, type UnixSocket } from "../net/place.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Warn } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import type { HostPort } from "./lists.ts";
import { type SyncTls, type SyncTlsContext, syncTlsOf } from "./sync_tls.ts";
import type { AnytunValues } from "./table.ts";
import { U16_MAX } from "./values.ts";

/** Where to connect to, or to listen. */
export interface HostAndPort {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** What `anytun` is told about the cluster that it is a member of. */
export interface ClusterOptions {
  /** Where to serve other members; without a host only on this one. */
  readonly syncServer:
    | { readonly host: string | undefined; readonly port: number }
    | UnixSocket
    | undefined;
  /** Members and control daemons to take connections from. */
  readonly syncServers: readonly (HostAndPort | UnixSocket)[];
  /** What protects the TCP streams of all of these, and to all of those. */
  readonly syncTls: SyncTls | undefined;
  /** Whether every user of this host may take part, over TCP. */
  readonly syncAnyUser: boolean;
  /** Whether the destination of a packet decides on its connection. */
  readonly routing: boolean;
  /** Networks that lie behind the own peer. */
  readonly routes: readonly Prefix[];
}

/**
 * Reads the options of a cluster member.
 *
 * @throws {OptionFault} if a server cannot be connected to, or a certificate
 * cannot be used
 */
export function clusterOf(
  values: AnytunValues,
  context: SyncTlsContext,
): ClusterOptions {
  const { warn } = context;
  const { syncAnyUser, deviceName, deviceType } = values;
  const syncServer = syncServerOf(values, warn);
  const syncServers = [
    ...values.syncHosts.flat().map((at) => serverOf("--sync-hosts", at)),
    ...values.controlHosts.flat().map((at) => serverOf("--control-host", at)),
  ];
  const syncTls = syncTlsOf(values, context);
  const all = syncServer ? [syncServer, ...syncServers] : syncServers;
  if (syncTls && all.length === 0) {
    warn(
      "--sync-tls-cert has no effect without --sync-port (-S), --sync-hosts " +
        "(-M) or --control-host (-X)",
    );
  }
  warnOfTrust({ syncTls, syncAnyUser }, all, warn);
  const isTun = (deviceType ?? (deviceName === undefined ? "tun" : "")) ===
    "tun";
  const routing = isTun && syncServers.length > 0;
  const routes = values.routes.flat();
  if (routes.length > 0 && !routing && syncServer === undefined) {
    warn(
      "--route (-R) has no effect without --sync-hosts (-M) or " +
        "--control-host (-X), and --type tun",
    );
  }
  return { syncServer, syncServers, syncTls, syncAnyUser, routing, routes };
}

function syncServerOf(
  { syncHost: host, syncPort: at }: AnytunValues,
  warn: Warn,
): ClusterOptions["syncServer"] {
  const withoutEffect = at === undefined || typeof at === "object";
  if (host !== undefined && withoutEffect) {
    const why = at === undefined
      ? "without --sync-port (-S)"
      : "with --sync-port (-S) unix:";
    warn(`--sync-interface (-I) has no effect ${why}`);
  }
  return withoutEffect ? at : { host, port: at };
}

/** What of the options says who is trusted. */
export interface TrustOptions {
  readonly syncTls: SyncTls | undefined;
  readonly syncAnyUser: boolean;
}

/**
 * Warns of what has no effect, and of what trusts too many.
 *
 * @param places Where streams come from and go to
 */
export function warnOfTrust(
  { syncTls, syncAnyUser }: TrustOptions,
  places: readonly object[],
  warn: Warn,
): void {
  const usesTcp = places.some((place) => !isUnixSocket(place));
  if (syncTls && places.length > 0 && !usesTcp) {
    warn("--sync-tls-cert has no effect on unix: sockets");
  }
  if (!syncAnyUser) return;
  if (!usesTcp) warn("--sync-any-user has no effect without TCP");
  else if (syncTls) warn("--sync-any-user has no effect with --sync-tls-cert");
  else {
    warn(
      "--sync-any-user lets every user of this host read all keys, and bring " +
        "in keys and routes, over TCP on loopback",
    );
  }
}

/**
 * A server to connect to.
 *
 * @param option By which it was given
 * @throws {OptionFault} if there is no host, or the port is none
 */
export function serverOf(
  option: string,
  at: HostPort | UnixSocket,
): HostAndPort | UnixSocket {
  return isUnixSocket(at) ? at : hostAndPort(option, at);
}

/**
 * The port as a number.
 *
 * @param option By which it was given
 * @throws {OptionFault} if there is no host, or the port is none
 */
export function hostAndPort(
  option: string,
  { host, port: text }: HostPort,
): HostAndPort {
  const port = parseDecimal(text, 1, U16_MAX);
  if (host === "" || port === undefined) {
    throw new OptionFault(
      `Cannot use ${option} ${host}:${text}: it needs a host, and a port ` +
        `from 1 to ${U16_MAX}`,
    );
  }
  return { host, port };
}
