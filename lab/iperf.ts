/** Transfers from host to host, made and measured by iperf3. */
import type { LabHost } from "./host.ts";

/** One transfer. */
export interface IperfOptions {
  /** The server's address that the client connects to. */
  readonly address: string;
  /** How long to send. */
  readonly seconds: number;
  /** Send from the server to the client instead. */
  readonly reverse?: boolean;
  /** Number of TCP connections at a time (1). */
  readonly flows?: number;
  /** Let the server listen at that address alone, beside others. */
  readonly bound?: boolean;
  /** Bits per second at most, all flows together; without it all that goes. */
  readonly bitrate?: number;
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

/** How much longer than it should a transfer may take, in seconds. */
const SLACK_SECONDS = 15;

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
  if (options.bitrate !== undefined) {
    argv.push("--bitrate", String(options.bitrate / (flows ?? 1)));
  }
  if (datagramBytes !== undefined) {
    argv.push("--udp", "--bitrate", "0", "--length", String(datagramBytes));
  }
  return argv;
}

/**
 * Makes one transfer, with a server of its own.
 *
 * @throws {Error} if iperf3 fails or does not end in time
 */
export async function iperf(
  client: LabHost,
  server: LabHost,
  options: IperfOptions,
): Promise<Transfer> {
  const serving = ["--server", "--one-off", "--interval", "0", "--forceflush"];
  if (options.bound) serving.push("--bind", options.address);
  await using listener = server.spawn("iperf3", ...serving);
  await listener.line(/^Server listening/);
  const seconds = options.seconds + SLACK_SECONDS;
  return parseTransfer(await client.run(clientArgv(options), { seconds }));
}
