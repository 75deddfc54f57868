// Reports from a socket: foreign text, checked as a whole before it is used.
import { Fields, numberOf, objectOf, textOf } from "./fields.ts";
import { HEALTH_STATES } from "../health/state_machine.ts";
import {
  type AnnouncementReport,
  type ClusterReport,
  type ConnectionReport,
  type DaemonState,
  type DeviceReport,
  type HealthReport,
  type Report,
  REPORT_FORMAT,
  type ServerReport,
} from "./report.ts";

const STATES: readonly DaemonState[] = [
  "starting",
  "running",
  "reloading",
  "draining",
];

/** @throws {ReportError} if anything in it is not as it has to be */
export function readHealth(text: string): HealthReport {
  return healthIn(objectOf(text));
}

/** @throws {ReportError} if anything in it is not as it has to be */
export function readReport(text: string): Report {
  const report = objectOf(text);
  return {
    format: report.format(REPORT_FORMAT),
    name: report.text("name"),
    version: report.text("version"),
    pid: report.number("pid"),
    time: report.number("time"),
    started: report.number("started"),
    state: report.oneOf("state", STATES),
    isCarrying: report.flag("isCarrying"),
    health: report.object("health", healthOf),
    announcement: report.orNull("announcement", announcementOf),
    device: report.orNull("device", deviceOf),
    plane: report.orNull("plane", textOf),
    listening: report.list("listening", textOf),
    cluster: report.orNull("cluster", clusterOf),
    connections: report.list("connections", connectionOf),
    connectionCount: report.number("connectionCount"),
    totals: report.counts("totals"),
    counters: report.counts("counters"),
  };
}

function deviceOf(value: unknown, place: string): DeviceReport {
  const device = new Fields(value, place);
  return {
    name: device.text("name"),
    type: device.oneOf("type", ["tun", "tap"]),
    mtu: device.number("mtu"),
  };
}

function healthOf(value: unknown, place: string): HealthReport {
  return healthIn(new Fields(value, place));
}

function healthIn(health: Fields): HealthReport {
  return {
    state: health.oneOf("state", HEALTH_STATES),
    reasons: health.list("reasons", textOf),
    since: health.number("since"),
  };
}

function announcementOf(value: unknown, place: string): AnnouncementReport {
  const announcement = new Fields(value, place);
  return {
    addresses: announcement.list("addresses", textOf),
    device: announcement.orNull("device", textOf),
    isAnnounced: announcement.flag("isAnnounced"),
    isGuarded: announcement.flag("isGuarded"),
    drainTime: announcement.number("drainTime"),
  };
}

function clusterOf(value: unknown, place: string): ClusterReport {
  const cluster = new Fields(value, place);
  return {
    inStep: cluster.flag("inStep"),
    servers: cluster.list("servers", serverOf),
    clients: cluster.list("clients", textOf),
    passedOver: cluster.numberOrNone("passedOver"),
  };
}

function serverOf(value: unknown, place: string): ServerReport {
  const server = new Fields(value, place);
  return {
    server: server.text("server"),
    isConnected: server.flag("isConnected"),
  };
}

function connectionOf(value: unknown, place: string): ConnectionReport {
  const connection = new Fields(value, place);
  return {
    mux: connection.number("mux"),
    peer: connection.orNull("peer", textOf),
    endpoint: connection.orNull("endpoint", textOf),
    lastHeard: connection.orNull("lastHeard", numberOf),
    pathMtu: connection.orNull("pathMtu", numberOf),
    keyEpoch: connection.orNull("keyEpoch", numberOf),
    routes: connection.list("routes", textOf),
    counters: connection.counts("counters"),
  };
}
