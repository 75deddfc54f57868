// Report of a daemon on itself. Never keys.
import type { HealthState } from "../health/state_machine.ts";

/** Moves when a reader of before would misread what it is given. */
export const REPORT_FORMAT = 1;

export interface DeviceReport {
  readonly name: string;
  readonly type: "tun" | "tap";
  readonly mtu: number;
}

export interface ConnectionReport {
  readonly mux: number;
  /** The peer as people have named it, if they have. */
  readonly peer: string | null;
  /** Where it is, such as `192.0.2.1:4444`; null as long as nobody knows. */
  readonly endpoint: string | null;
  /** When it was last heard, in ms since 1970; null for never. */
  readonly lastHeard: number | null;
  /** Bytes of an IP packet that the path to it takes; null if unknown. */
  readonly pathMtu: number | null;
  /** Of a key chain that seals; null for keys that do not change. */
  readonly keyEpoch: number | null;
  /** Prefixes that lead to it. */
  readonly routes: readonly string[];
  /** By the names of `CONNECTION_COUNTER_INFOS`. */
  readonly counters: Counts;
}

export type Counts = Readonly<Record<string, number>>;

export interface ServerReport {
  /** As it was named, such as `vpn.example.com:2323`. */
  readonly server: string;
  readonly isConnected: boolean;
}

export interface ClusterReport {
  /** Whether it hears what others say, or need not, for want of others. */
  readonly inStep: boolean;
  /** That it follows. */
  readonly servers: readonly ServerReport[];
  /** Where its own clients come from. */
  readonly clients: readonly string[];
  /** What members have stated that may only learn. */
  readonly passedOver: number;
}

export type DaemonState = "starting" | "running" | "reloading" | "draining";

export interface HealthReport {
  readonly state: HealthState;
  /** What keeps it from being fit, or soon will. */
  readonly reasons: readonly string[];
  /** When it got into this state, in ms since 1970. */
  readonly since: number;
}

export interface AnnouncementReport {
  /** With their lengths; none where a script alone is told. */
  readonly addresses: readonly string[];
  readonly device: string | null;
  readonly isAnnounced: boolean;
  /** Whether somebody withdraws it when the daemon is killed, or hangs. */
  readonly isGuarded: boolean;
  /** Seconds that it carries on after it was withdrawn, at most, at its end. */
  readonly drainTime: number;
}

export interface Report {
  readonly format: typeof REPORT_FORMAT;
  /** Of the instance. */
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  /** When this was said, in ms since 1970. */
  readonly time: number;
  /** When the daemon began, by the same clock. */
  readonly started: number;
  readonly state: DaemonState;
  /** Whether everything that carries packets answers. */
  readonly isCarrying: boolean;
  /** Whether it may have traffic. */
  readonly health: HealthReport;
  /** null where it announces nothing by itself. */
  readonly announcement: AnnouncementReport | null;
  /** null until it is open. */
  readonly device: DeviceReport | null;
  /** Which data plane and engine, for people. */
  readonly plane: string | null;
  /** Endpoints where datagrams are received. */
  readonly listening: readonly string[];
  /** null outside of a cluster. */
  readonly cluster: ClusterReport | null;
  /** By ascending mux; the first ones, if more were not asked for. */
  readonly connections: readonly ConnectionReport[];
  /** How many there are. */
  readonly connectionCount: number;
  /** Sums over all connections, also those that are gone. */
  readonly totals: Counts;
  /** What belongs to no connection, by the names of `PLANE_COUNTER_INFOS`. */
  readonly counters: Counts;
}

/** As a daemon tells it: each connection is looked at when its turn comes. */
export interface ToldReport extends Omit<Report, "connections" | "totals"> {
  readonly connections: Iterable<ConnectionReport>;
  /** As they are now: no less than what was told of connections before. */
  readonly totals: () => Promise<Counts>;
}

/** What it takes a probe to know, and what goes with it. */
export type Health = Pick<Report, "isCarrying" | "state" | "cluster">;

/** Whether packets should be led to this daemon. */
export function isReady({ state }: Pick<HealthReport, "state">): boolean {
  return state === "fit";
}

/** The health in a line, for people. */
export function fitnessLine(
  { state, reasons }: Omit<HealthReport, "since">,
): string {
  return reasons.length === 0 ? state : `${state}: ${reasons.join("; ")}`;
}
