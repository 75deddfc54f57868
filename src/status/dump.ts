// Report as lines of tabs, for scripts. New columns come behind the others.
import type { ConnectionReport, Report } from "./report.ts";
import { trafficOf } from "./sums.ts";
import { visible } from "../log/visible.ts";

/** A line for the daemon, and one for each connection. */
export function dumpLines(report: Report): string[] {
  return [
    tunnelRow(report),
    ...report.connections.map((one) => connectionRow(report.name, one)),
  ].map((row) => row.map((cell) => visible(cell)).join("\t"));
}

/** The columns, for the help text. */
export const DUMP_COLUMNS = {
  tunnel: [
    "tunnel",
    "name",
    "device",
    "mtu",
    "process id",
    "started (s since 1970)",
    "state",
    "carries (yes or no)",
    "in step (yes, no or -)",
    "connections",
    "endpoints listened on (by commas)",
    "health (starting, fit, draining or unfit)",
    "reasons that it is not fit (by semicolons)",
  ],
  connection: [
    "connection",
    "name",
    "mux",
    "peer",
    "endpoint",
    "last heard (s since 1970, 0 for never)",
    "bytes sent",
    "bytes received",
    "packets sent",
    "packets received",
    "errors",
    "key epoch",
    "routes (by commas)",
    "path MTU (bytes)",
  ],
} as const;

/** Stands for what there is not, so that no column is empty. */
const NONE = "-";

function tunnelRow(report: Report): string[] {
  const { name, device, cluster, listening, health } = report;
  return [
    "tunnel",
    name,
    device?.name ?? NONE,
    device === null ? NONE : String(device.mtu),
    String(report.pid),
    seconds(report.started),
    report.state,
    yesOrNo(report.isCarrying),
    cluster === null ? NONE : yesOrNo(cluster.inStep),
    String(report.connectionCount),
    listening.join(",") || NONE,
    health.state,
    health.reasons.join("; ") || NONE,
  ];
}

function connectionRow(
  name: string,
  { mux, peer, endpoint, lastHeard, pathMtu, keyEpoch, routes, counters }:
    ConnectionReport,
): string[] {
  const traffic = trafficOf(counters);
  return [
    "connection",
    name,
    String(mux),
    peer ?? NONE,
    endpoint ?? NONE,
    lastHeard === null ? "0" : seconds(lastHeard),
    String(traffic.bytesOut),
    String(traffic.bytesIn),
    String(traffic.packetsOut),
    String(traffic.packetsIn),
    String(traffic.losses),
    keyEpoch === null ? NONE : String(keyEpoch),
    routes.join(",") || NONE,
    pathMtu === null ? NONE : String(pathMtu),
  ];
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1000));
}

function yesOrNo(is: boolean): string {
  return is ? "yes" : "no";
}
