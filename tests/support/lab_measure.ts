import type { LabHost } from "./lab.ts";
import type { CopyReport, ProbeReport } from "./lab_traffic.ts";

/** The port of the traffic's servers. */
const TRAFFIC_PORT = "7000";

/** How much longer than asked for a measurement may take, in seconds. */
const GRACE_SECONDS = 20;

/** Starts the other end of copies and probes on a host. */
export async function serve(host: LabHost): Promise<void> {
  await host.script("lab_traffic.ts", "serve", TRAFFIC_PORT).line(/^serving$/);
}

/**
 * Copies random bytes over TCP to a host that serves.
 *
 * @param address The address to send to, which decides on the way.
 * @param bytes The most to be copied.
 * @param seconds The longest that it may take.
 * @throws {Error} The connection broke.
 */
export async function copy(
  from: LabHost,
  address: string,
  bytes: number,
  seconds: number,
): Promise<CopyReport> {
  const limits = [String(bytes), String(seconds)];
  const args = ["send", address, TRAFFIC_PORT, ...limits];
  const sender = from.script("lab_traffic.ts", ...args);
  return JSON.parse(await sender.line(/^{/, seconds + GRACE_SECONDS));
}

/**
 * Measures round trips to a host that serves.
 *
 * @throws {Error} Nobody answers.
 */
export async function probe(
  from: LabHost,
  address: string,
  count: number,
): Promise<ProbeReport> {
  const args = ["probe", address, TRAFFIC_PORT, String(count)];
  const prober = from.script("lab_traffic.ts", ...args);
  return JSON.parse(await prober.line(/^{/, GRACE_SECONDS));
}
