// Report as lines of tabs, for scripts. New columns come behind the others.
import type { MembersReport } from "./members_report.ts";
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

/** A line for each member of a cluster, and one for each client. */
export function membersDumpLines(report: MembersReport): string[] {
  const { members, clients } = report;
  return [
    ...members.map((member) => [
      "member",
      report.name,
      member.address ?? NONE,
      member.kind,
      yesOrNo(member.isConnected),
      member.name ?? NONE,
      member.version ?? NONE,
      member.health ?? NONE,
      member.inStep === null ? NONE : yesOrNo(member.inStep),
      member.since === null ? "0" : seconds(member.since),
      String(member.clients),
      String(member.floors),
    ]),
    ...clients.map(({ mux, endpoint, member, since }) => [
      "client",
      report.name,
      String(mux),
      endpoint ?? NONE,
      member ?? NONE,
      seconds(since),
    ]),
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
  member: [
    "member",
    "name of the daemon that was asked",
    "address (- for itself)",
    "kind (self, member, silent, original, unknown)",
    "connected (yes or no)",
    "name",
    "version",
    "health",
    "in step (yes, no or -)",
    "last change of health (s since 1970, 0 for unknown)",
    "clients",
    "replay floors heard from it",
  ],
  client: [
    "client",
    "name of the daemon that was asked",
    "mux",
    "endpoint",
    "address of the member that serves it (- for itself)",
    "served since (s since 1970)",
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
