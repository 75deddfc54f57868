/**
 * What the options about a cluster mean together (sync section 1, SATP
 * section 8).
 *
 * @module
 */
import { parseDecimal } from "../net/decimal.ts";
import type { Prefix } from "../net/prefix.ts";
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
    | undefined;
  /** Members and control daemons to take connections from. */
  readonly syncServers: readonly HostAndPort[];
  /** What protects the streams of all of these, and to all of those. */
  readonly syncTls: SyncTls | undefined;
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
  const { syncHost, syncPort, syncHosts, controlHosts } = values;
  const { deviceName, deviceType } = values;
  if (syncHost !== undefined && syncPort === undefined) {
    warn("--sync-interface (-I) has no effect without --sync-port (-S)");
  }
  const syncServers = [
    ...syncHosts.flat().map((host) => hostAndPort("--sync-hosts", host)),
    ...controlHosts.flat().map((host) => hostAndPort("--control-host", host)),
  ];
  const syncTls = syncTlsOf(values, context);
  if (syncTls && syncPort === undefined && syncServers.length === 0) {
    warn(
      "--sync-tls-cert has no effect without --sync-port (-S), --sync-hosts " +
        "(-M) or --control-host (-X)",
    );
  }
  const isTun = (deviceType ?? (deviceName === undefined ? "tun" : "")) ===
    "tun";
  const routing = isTun && syncServers.length > 0;
  const routes = values.routes.flat();
  if (routes.length > 0 && !routing && syncPort === undefined) {
    warn(
      "--route (-R) has no effect without --sync-hosts (-M) or " +
        "--control-host (-X), and --type tun",
    );
  }
  return {
    syncServer: syncPort === undefined
      ? undefined
      : { host: syncHost, port: syncPort },
    syncServers,
    syncTls,
    routing,
    routes,
  };
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
