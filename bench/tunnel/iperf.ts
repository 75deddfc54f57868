/**
 * iperf3: one transfer through the tunnel, and its JSON report.
 *
 * @module
 */

import type { Lab } from "./lab.ts";
import { Daemon } from "./process.ts";
import { until } from "./tunnel.ts";

/** One transfer. */
export interface IperfOptions {
  /** The address of the right side that the left side connects to. */
  readonly address: string;
  /** How long to send. */
  readonly seconds: number;
  /** Send from right to left instead. */
  readonly reverse?: boolean;
  /** Number of TCP connections at a time (1). */
  readonly flows?: number;
  /** Flood with UDP datagrams of that many bytes instead of TCP. */
  readonly datagramBytes?: number;
}

/** What a transfer brought. */
export interface Transfer {
  /** Payload bytes that the receiver got. */
  readonly bytes: number;
  /** Payload bits per second that the receiver got. */
  readonly bitsPerSecond: number;
  /** Seconds that the sender sent. */
  readonly sendSeconds: number;
  /** TCP segments that were sent again; 0 for UDP. */
  readonly retransmits: number;
}

/** The port that iperf3 listens on, as /proc/net/tcp6 writes it. */
const PORT_IN_HEX = (5201).toString(16).toUpperCase();

/** Milliseconds that a transfer may take longer than it should. */
const SLACK_MS = 15_000;

function numberAt(report: unknown, ...path: string[]): number {
  let value = report;
  for (const name of path) {
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  if (typeof value === "number") return value;
  throw new Error(
    `Cannot read the iperf3 report: ${path.join(".")} is ${value}`,
  );
}

/**
 * Reads the report that `iperf3 --json` writes.
 *
 * @throws {Error} if it lacks a figure
 */
export function parseTransfer(json: string): Transfer {
  const report: unknown = JSON.parse(json);
  const tcp = json.includes('"retransmits"');
  return {
    bytes: numberAt(report, "end", "sum_received", "bytes"),
    bitsPerSecond: numberAt(report, "end", "sum_received", "bits_per_second"),
    sendSeconds: numberAt(report, "end", "sum_sent", "seconds"),
    retransmits: tcp ? numberAt(report, "end", "sum_sent", "retransmits") : 0,
  };
}

function clientArgv(options: IperfOptions): string[] {
  const { address, seconds, reverse, flows, datagramBytes } = options;
  const argv = ["iperf3", "--json", "--interval", "0", "--client", address];
  argv.push("--time", String(seconds));
  if (reverse) argv.push("--reverse");
  if (flows !== undefined) argv.push("--parallel", String(flows));
  if (datagramBytes !== undefined) {
    argv.push("--udp", "--bitrate", "0", "--length", String(datagramBytes));
  }
  return argv;
}

async function listening(pid: number): Promise<boolean> {
  const sockets = await Deno.readTextFile(`/proc/${pid}/net/tcp6`)
    .catch(() => ""); // no such process: it has just ended
  // local address and port, remote address and port, state 0A (listening)
  return new RegExp(`:${PORT_IN_HEX} \\S+ 0A `).test(sockets);
}

/**
 * Makes one transfer, with an iperf3 server of its own on the right side.
 *
 * @throws {Error} if iperf3 fails or does not end in time
 */
export async function iperf(
  lab: Lab,
  options: IperfOptions,
): Promise<Transfer> {
  const server = ["iperf3", "--server", "--one-off", "--json"];
  await using daemon = new Daemon(lab.within("right", server));
  await until(() => listening(daemon.pid), daemon);
  const json = await lab.exec("left", clientArgv(options), {
    timeout: options.seconds * 1000 + SLACK_MS,
  });
  return parseTransfer(json);
}
