// Options about what a daemon tells of itself.
import { parseAddress } from "../net/address.ts";
import { parseDecimal, U16_MAX } from "../net/decimal.ts";
import type { HostPort } from "../net/place.ts";
import type { Warn } from "./fault.ts";
import {
  BadValue,
  decimal,
  optional,
  type OptionTable,
  withDefault,
} from "./option.ts";
import { socketPath } from "./host_port.ts";
import { pick, type Settings } from "./values.ts";

/** Switches the socket off. */
export const NO_SOCKET = "off";

/** Where the sockets are, unless the service manager says so. */
export const STATUS_FOLDER = "/run/anytun";

/** What the names of the sockets in a folder end with. */
export const SOCKET_SUFFIX = ".sock";

/** Of the socket of an instance. */
export function socketIn(folder: string, name: string): string {
  return `${folder}/${name}${SOCKET_SUFFIX}`;
}

/** Every mux. */
const MAX_CONNECTIONS = 65_536;

/** Who names a port alone means this host. */
const LOOPBACK = "127.0.0.1";

export const statusRows = {
  statusSocket: optional({
    group: "Running",
    long: "--status-socket",
    argument: "path",
    parse: statusSocket,
    help: "answer 'anytun status' on this unix socket, which only root can " +
      `connect to; ${NO_SOCKET} for none (default ${STATUS_FOLDER}/<name>.sock)`,
  }),
  metrics: optional({
    group: "Running",
    long: "--metrics",
    argument: "address:port",
    parse: metricsPlace,
    help:
      "serve /metrics for Prometheus, /healthz, /readyz and a status page " +
      "at this address; a port alone means 127.0.0.1",
  }),
  metricsConnections: withDefault({
    group: "Running",
    long: "--metrics-connections",
    argument: "number",
    parse: decimal(0, MAX_CONNECTIONS),
    default: 1000,
    help: "with --metrics: report at most this many connections one by one, " +
      "and the others as a sum",
  }),
} satisfies OptionTable;

export interface StatusOptions {
  /** {@link NO_SOCKET} for none, undefined for the default one. */
  readonly statusSocket: string | undefined;
  readonly metrics: HostPort | undefined;
  readonly metricsConnections: number;
}

type StatusSettings = Settings<typeof statusRows>;

export function statusOf(
  { values, names, origins }: StatusSettings,
  warn: Warn,
): StatusOptions {
  const { metrics } = values;
  const isGiven = origins.metricsConnections.kind !== "default";
  if (isGiven && metrics === undefined) {
    warn(`${names.metricsConnections} has no effect without --metrics`);
  }
  if (metrics !== undefined && isUnspecified(metrics.host)) {
    warn(
      `${names.metrics} ${hostText(metrics.host)}:${metrics.port}: from ` +
        "everywhere, anybody can read who is connected, and how much they send",
    );
  }
  return pick(values, statusRows);
}

function statusSocket(text: string): string {
  if (text === NO_SOCKET) return text;
  return socketPath(text, `or ${NO_SOCKET}`);
}

function metricsPlace(text: string): HostPort {
  const [, v6, name, digits = ""] =
    /^(?:(?:\[([^\]]*)\]|([\w.-]+)):)?(\d+)$/.exec(text) ?? [];
  const port = parseDecimal(digits, 0, U16_MAX);
  const host = v6 ?? name ?? LOOPBACK;
  const isRight = v6 === undefined ||
    parseAddress(v6)?.family === 6;
  if (port === undefined || !isRight) {
    throw new BadValue(
      `a port from 0 to ${U16_MAX}, or an address, a colon and a port, such ` +
        "as 192.0.2.1:9100 or [2001:db8::1]:9100",
    );
  }
  return { host, port };
}

function isUnspecified(host: string): boolean {
  return parseAddress(host)?.bytes.every((byte) => byte === 0) ?? false;
}

function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
