// Reports from a socket: foreign text, checked as a whole before it is used.
import { HEALTH_STATES } from "../health/state_machine.ts";
import {
  type ClusterReport,
  type ConnectionReport,
  type Counts,
  type DaemonState,
  type DeviceReport,
  type HealthReport,
  type Report,
  REPORT_FORMAT,
  type ServerReport,
} from "./report.ts";

/** The answer is no report. */
export class ReportError extends Error {
  /** @param what Place in the report, such as `connections[3].mux` */
  constructor(what: string) {
    super(`Cannot read the report: ${what}`);
    this.name = "ReportError";
  }
}

const STATES: readonly DaemonState[] = [
  "starting",
  "running",
  "reloading",
  "draining",
];

/** @throws {ReportError} if anything in it is not as it has to be */
export function readHealth(text: string): HealthReport {
  return healthOf(parsed(text), "");
}

/** @throws {ReportError} if anything in it is not as it has to be */
export function readReport(text: string): Report {
  const report = new Fields(parsed(text), "");
  const format = report.number("format");
  if (format !== REPORT_FORMAT) {
    throw new ReportError(
      `its format is ${format}, and this program reads ${REPORT_FORMAT}`,
    );
  }
  return {
    format,
    name: report.text("name"),
    version: report.text("version"),
    pid: report.number("pid"),
    time: report.number("time"),
    started: report.number("started"),
    state: report.oneOf("state", STATES),
    isCarrying: report.flag("isCarrying"),
    health: report.object("health", healthOf),
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ReportError("it is not JSON");
  }
}

type Reader<T> = (value: unknown, place: string) => T;

function deviceOf(value: unknown, place: string): DeviceReport {
  const device = new Fields(value, place);
  return {
    name: device.text("name"),
    type: device.oneOf("type", ["tun", "tap"]),
    mtu: device.number("mtu"),
  };
}

function healthOf(value: unknown, place: string): HealthReport {
  const health = new Fields(value, place);
  return {
    state: health.oneOf("state", HEALTH_STATES),
    reasons: health.list("reasons", textOf),
    since: health.number("since"),
  };
}

function clusterOf(value: unknown, place: string): ClusterReport {
  const cluster = new Fields(value, place);
  return {
    inStep: cluster.flag("inStep"),
    servers: cluster.list("servers", serverOf),
    clients: cluster.list("clients", textOf),
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

function textOf(value: unknown, place: string): string {
  if (typeof value === "string") return value;
  throw new ReportError(`${place} is no text`);
}

function numberOf(value: unknown, place: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) {
    return value;
  }
  throw new ReportError(`${place} is no number from 0 on`);
}

/** Fields of an object, by their names. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ReportError(`${place || "it"} is no object`);
    }
    this.#fields = new Map(Object.entries(value));
    this.#place = place;
  }

  text(name: string): string {
    return this.#read(name, textOf);
  }

  number(name: string): number {
    return this.#read(name, numberOf);
  }

  flag(name: string): boolean {
    return this.#read(name, (value, place) => {
      if (typeof value === "boolean") return value;
      throw new ReportError(`${place} is neither true nor false`);
    });
  }

  oneOf<T extends string>(name: string, texts: readonly T[]): T {
    const text = this.text(name);
    const found = texts.find((one) => one === text);
    if (found !== undefined) return found;
    throw new ReportError(`${this.#at(name)} is none of ${texts.join(", ")}`);
  }

  object<T>(name: string, read: Reader<T>): T {
    return this.#read(name, read);
  }

  orNull<T>(name: string, read: Reader<T>): T | null {
    return this.#fields.get(name) === null ? null : this.#read(name, read);
  }

  list<T>(name: string, read: Reader<T>): readonly T[] {
    return this.#read(name, (value, place) => {
      if (!Array.isArray(value)) throw new ReportError(`${place} is no list`);
      return value.map((one, k) => read(one, `${place}[${k}]`));
    });
  }

  counts(name: string): Counts {
    return this.#read(name, (value, place) => {
      const counts = new Fields(value, place);
      // Without a prototype: a counter may be called anything.
      const result: Record<string, number> = Object.create(null);
      for (const key of counts.#fields.keys()) {
        result[key] = counts.number(key);
      }
      return result;
    });
  }

  #read<T>(name: string, read: Reader<T>): T {
    return read(this.#fields.get(name), this.#at(name));
  }

  #at(name: string): string {
    return this.#place === "" ? name : `${this.#place}.${name}`;
  }
}
