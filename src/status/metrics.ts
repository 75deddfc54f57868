// Report in Prometheus' text format, version 0.0.4.
import { HEALTH_STATES } from "../health/state_machine.ts";
import {
  CONNECTION_COUNTER_INFOS,
  type CounterInfo,
  PLANE_COUNTER_INFOS,
} from "../tunnel/counters.ts";
import {
  ConnectionGauge,
  type ConnectionSamples,
} from "./connection_samples.ts";
import { isReady, type Report } from "./report.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const PREFIX = "anytun_";
/** Of what is told of each connection. */
const CONNECTION_PREFIX = "anytun_connection_";

type Summary = Omit<Report, "connections">;

interface Sample {
  /** As they are written; see {@linkcode labelsText}. */
  readonly labels?: string;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** Without any there is no such metric. */
  readonly samples: Iterable<Sample>;
}

/**
 * Line by line, as there may be a million of them. Names and help are those of
 * the one table of counters.
 */
export function* metricsLines(
  report: Summary,
  connections: ConnectionSamples,
): Generator<string> {
  for (const metric of metricsOf(report, connections)) yield* linesOf(metric);
}

function* metricsOf(
  report: Summary,
  connections: ConnectionSamples,
): Generator<Metric> {
  yield* daemonMetrics(report, connections.count);
  yield* clusterMetrics(report);
  yield* countersOf(PREFIX, PLANE_COUNTER_INFOS, ({ name }) => [
    { value: report.counters[name] ?? 0 },
  ]);
  yield* countersOf(PREFIX, CONNECTION_COUNTER_INFOS, ({ name }) => [
    { value: report.totals[name] ?? 0 },
  ]);
  yield* connectionMetrics(connections);
}

function* daemonMetrics(report: Summary, told: number): Generator<Metric> {
  const { name, version, device, plane } = report;
  const labels = labelsText({
    ...{ name, version, device: device?.name ?? "", plane: plane ?? "" },
  });
  yield gauge("info", "Always 1; the labels say what runs here.", {
    ...{ labels, value: 1 },
  });
  yield gauge("start_time_seconds", "When it was started, since 1970.", {
    value: report.started / 1000,
  });
  yield gauge("up", "Whether packets are carried: all workers answer.", {
    value: Number(report.isCarrying),
  });
  yield* healthMetrics(report);
  yield* announcementMetrics(report);
  if (device !== null) {
    yield gauge("device_mtu_bytes", "Longest packet of the device.", {
      value: device.mtu,
    });
  }
  yield gauge("connections", "Connections that there are.", {
    value: report.connectionCount,
  });
  yield gauge(
    "connections_unlabelled",
    "Connections that have no metrics of their own (--metrics-connections).",
    { value: report.connectionCount - told },
  );
}

function* healthMetrics({ health }: Summary): Generator<Metric> {
  yield gauge(
    "ready",
    "Whether packets should be led here: its health is fit.",
    { value: Number(isReady(health)) },
  );
  yield gauge("draining", "Whether it is drained, or about to end.", {
    value: Number(health.state === "draining"),
  });
  yield {
    ...gauge("health", "1 for the state of the health, and 0 for the others.", {
      value: 0,
    }),
    samples: HEALTH_STATES.map((state) => ({
      labels: labelsText({ state }),
      value: Number(state === health.state),
    })),
  };
  yield gauge("health_since_seconds", "When it got into it, since 1970.", {
    value: health.since / 1000,
  });
}

function* announcementMetrics({ announcement }: Summary): Generator<Metric> {
  if (announcement === null) return;
  yield gauge("announced", "Whether it leads traffic here by itself.", {
    value: Number(announcement.isAnnounced),
  });
  yield gauge(
    "announcement_guarded",
    "Whether that ends when the daemon is killed or hangs.",
    { value: Number(announcement.isGuarded) },
  );
}

function* clusterMetrics({ cluster }: Summary): Generator<Metric> {
  if (cluster === null) return;
  yield gauge("cluster_in_step", "Whether it hears what other members say.", {
    value: Number(cluster.inStep),
  });
  yield {
    ...gauge("cluster_server_connected", "Servers that it follows.", {
      value: 0,
    }),
    samples: distinct(cluster.servers.map(({ server, isConnected }) => ({
      labels: labelsText({ server }),
      value: Number(isConnected),
    }))),
  };
  yield gauge("cluster_clients", "Members and others that follow it.", {
    value: cluster.clients.length,
  });
  yield {
    ...gauge(
      "cluster_passed_over_total",
      "Statements of members that did not count (--member-rights).",
      { value: cluster.passedOver },
    ),
    type: "counter",
  };
}

/** One that is named twice is followed twice: the same labels must not come. */
function distinct(samples: readonly Sample[]): readonly Sample[] {
  return [...new Map(samples.map((one) => [one.labels, one])).values()];
}

function* connectionMetrics(
  connections: ConnectionSamples,
): Generator<Metric> {
  const samples = function* (index: number, unit = 1): Generator<Sample> {
    for (const { mux, value } of connections.of(index)) {
      yield { labels: `{mux="${mux}"}`, value: value / unit };
    }
  };
  const own = (name: string, help: string, all: Iterable<Sample>): Metric => ({
    ...{ name: CONNECTION_PREFIX + name, help, type: "gauge" },
    samples: all,
  });
  yield* countersOf(
    CONNECTION_PREFIX,
    CONNECTION_COUNTER_INFOS,
    ({ index }) => samples(index),
  );
  yield own(
    "last_heard_timestamp_seconds",
    "When the peer was last heard, since 1970; 0 if it never was.",
    samples(ConnectionGauge.LAST_HEARD, 1000),
  );
  yield own(
    "path_mtu_bytes",
    "IP packet that the path to the peer takes in one piece.",
    samples(ConnectionGauge.PATH_MTU),
  );
  yield own(
    "key_epoch",
    "Epoch of the key chain that seals.",
    samples(ConnectionGauge.KEY_EPOCH),
  );
  yield own(
    "routes",
    "Prefixes that lead to the peer.",
    samples(ConnectionGauge.ROUTES),
  );
}

function gauge(name: string, help: string, sample: Sample): Metric {
  return { name: PREFIX + name, help, type: "gauge", samples: [sample] };
}

function countersOf(
  prefix: string,
  infos: readonly CounterInfo[],
  samples: (info: CounterInfo) => Iterable<Sample>,
): readonly Metric[] {
  return infos.map((info): Metric => ({
    name: prefix + info.name,
    help: info.help,
    type: "counter",
    samples: samples(info),
  }));
}

function* linesOf({ name, help, type, samples }: Metric): Generator<string> {
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  let head = `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`;
  for (const { labels = "", value } of samples) {
    yield `${head}${name}${labels} ${value}\n`;
    head = "";
  }
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const texts = Object.entries(labels).map(([name, value]) =>
    `${name}="${escaped(value)}"`
  );
  return `{${texts.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");
}
