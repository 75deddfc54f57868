// Table of the connections of a daemon, for people.
import { alignedRows } from "../log/rows.ts";
import { visible } from "../log/visible.ts";
import { bytesText, durationText } from "./page/text.js";
import type {
  AnnouncementReport,
  ClusterReport,
  ConnectionReport,
  Report,
} from "./report.ts";
import { planeLosses, trafficOf } from "./sums.ts";

const HEADINGS = [
  "MUX",
  "PEER",
  "ENDPOINT",
  "LAST HEARD",
  "SENT",
  "RECEIVED",
  "ERRORS",
  "KEY EPOCH",
  "PATH MTU",
];

/** Stands for what there is not. */
const NONE = "-";

/**
 * Lines without control characters, whatever the report says.
 * @param before An earlier report of the daemon, for rates
 */
export function tableLines(report: Report, before?: Report): string[] {
  const rates = before === undefined ? undefined : new Rates(report, before);
  const rows = report.connections.map((one) => rowOf(report, one, rates));
  const missing = report.connectionCount - report.connections.length;
  return [
    headerLine(report),
    ...detailLines(report),
    ...(rows.length > 0
      ? alignedRows([HEADINGS, ...rows])
      : ["no connections"]),
    ...(missing > 0 ? [`and ${missing} more connections`] : []),
  ].map((line) => visible(line));
}

function headerLine(report: Report): string {
  const { name, device, state, isCarrying, version } = report;
  const up = durationText((report.time - report.started) / 1000);
  const shown = isCarrying || state !== "running" ? state : "NOT CARRYING";
  return `${name} (${device?.name ?? "no device yet"}): ${shown} for ${up}, ` +
    `anytun ${version}, process ${report.pid}`;
}

function* detailLines(report: Report): Generator<string> {
  const { device, plane, listening, cluster, counters } = report;
  const { announcement } = report;
  if (device !== null) yield `  device: ${device.type}, mtu ${device.mtu}`;
  if (plane !== null) yield `  plane: ${plane}`;
  if (listening.length > 0) yield `  listening: ${listening.join(", ")}`;
  if (cluster !== null) yield `  cluster: ${clusterText(cluster)}`;
  yield `  health: ${healthText(report)}`;
  if (announcement !== null) yield `  anycast: ${anycastText(announcement)}`;
  const drops = planeLosses(counters)
    .map(({ info, amount }) => `${amount} ${info.text}`);
  if (drops.length > 0) yield `  dropped: ${drops.join(", ")}`;
}

function healthText({ health, time }: Report): string {
  const { state, since, reasons } = health;
  const shown = state === "unfit" ? "UNFIT" : state;
  const why = reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
  return `${shown} for ${durationText((time - since) / 1000)}${why}`;
}

function anycastText(
  { addresses, device, isAnnounced, isGuarded }: AnnouncementReport,
): string {
  const what = [
    ...(addresses.length === 0 ? [] : [addresses.join(", ")]),
    ...(device === null ? [] : [`on ${device}`]),
    isAnnounced ? "announced" : "withdrawn",
  ].join(" ");
  return isGuarded ? what : `${what}, WITHOUT GUARD`;
}

function clusterText(
  { inStep, servers, clients, passedOver }: ClusterReport,
): string {
  const followed = servers.map(({ server, isConnected }) =>
    `${server} ${isConnected ? "(connected)" : "(not connected)"}`
  );
  return [
    inStep ? "in step" : "NOT IN STEP",
    ...(followed.length > 0 ? [`follows ${followed.join(", ")}`] : []),
    ...(clients.length > 0 ? [`followed from ${clients.join(", ")}`] : []),
    ...(passedOver > 0 ? [`${passedOver} statements passed over`] : []),
  ].join("; ");
}

function rowOf(
  report: Report,
  connection: ConnectionReport,
  rates: Rates | undefined,
): string[] {
  const { mux, peer, endpoint, lastHeard, pathMtu, keyEpoch, counters } =
    connection;
  const { bytesOut, bytesIn, losses } = trafficOf(counters);
  const rate = rates?.of(connection);
  const withRate = (bytes: number, perSecond: number | undefined) =>
    perSecond === undefined
      ? bytesText(bytes)
      : `${bytesText(bytes)} ${bytesText(perSecond)}/s`;
  return [
    String(mux),
    peer ?? NONE,
    endpoint ?? NONE,
    agoText(report.time, lastHeard),
    withRate(bytesOut, rate?.out),
    withRate(bytesIn, rate?.in),
    String(losses),
    keyEpoch === null ? NONE : String(keyEpoch),
    pathMtu === null ? NONE : String(pathMtu),
  ];
}

/** How long ago, by the clock of the report. */
export function agoText(time: number, at: number | null): string {
  return at === null ? "never" : `${durationText((time - at) / 1000)} ago`;
}

/** Bytes a second between two reports. */
class Rates {
  readonly #seconds: number;
  readonly #before: ReadonlyMap<number, ConnectionReport>;

  constructor(report: Report, before: Report) {
    const isSame = report.pid === before.pid;
    this.#seconds = isSame ? (report.time - before.time) / 1000 : 0;
    this.#before = new Map(before.connections.map((one) => [one.mux, one]));
  }

  of(
    { mux, counters }: ConnectionReport,
  ): { readonly out: number; readonly in: number } | undefined {
    const before = this.#before.get(mux);
    if (before === undefined || this.#seconds <= 0) return undefined;
    const now = trafficOf(counters);
    const then = trafficOf(before.counters);
    const perSecond = (a: number, b: number) =>
      Math.max(0, a - b) / this.#seconds;
    return {
      out: perSecond(now.bytesOut, then.bytesOut),
      in: perSecond(now.bytesIn, then.bytesIn),
    };
  }
}
