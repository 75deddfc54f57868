import type { LabHost } from "./host.ts";
import type { LabProcess } from "./process.ts";
import type { RunsReport } from "./scripts/runs.ts";
import type { CopyReport, ProbeReport } from "./scripts/traffic.ts";

/** The port of the traffic's servers. */
export const TRAFFIC_PORT = "7000";

/** The port of the receiver of runs. */
const RUNS_PORT = "7001";

/** How much longer than asked for a measurement may take, in seconds. */
const GRACE_SECONDS = 20;

/** Starts the other end of copies and probes on a host. */
export async function serve(host: LabHost): Promise<void> {
  await host.script("traffic.ts", "serve", TRAFFIC_PORT).line(/^serving$/);
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
  const sender = from.script("traffic.ts", ...args);
  return JSON.parse(await sender.line(/^{/, seconds + GRACE_SECONDS));
}

/** A copy that goes on until it has been seen enough. */
export class EndlessCopy implements AsyncDisposable {
  readonly #sender: LabProcess;

  private constructor(sender: LabProcess) {
    this.#sender = sender;
  }

  /**
   * @param address The address to send to, which decides on the way.
   * @param pace Bytes per second at most.
   */
  static start(from: LabHost, address: string, pace = Infinity): EndlessCopy {
    const bounds = ["Infinity", "Infinity", String(pace)];
    const args = ["send", address, TRAFFIC_PORT, ...bounds];
    return new EndlessCopy(from.script("traffic.ts", ...args));
  }

  /** @throws {Error} The connection broke. */
  async end(): Promise<CopyReport> {
    await this.#sender.tell("");
    return JSON.parse(await this.#sender.line(/^{/, GRACE_SECONDS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender.stop();
  }
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
  const prober = from.script("traffic.ts", ...args);
  return JSON.parse(await prober.line(/^{/, GRACE_SECONDS));
}

/** What became of datagrams that were sent in runs. */
export interface RunsOutcome extends RunsReport {
  readonly sent: number;
}

/**
 * Sends runs of UDP datagrams, each handed to the kernel as one message.
 *
 * @param address The receiver's, which decides on the way.
 * @param size Bytes of each datagram but the last of a run.
 * @throws {Error} The kernel refused, or nothing arrives.
 */
export async function sendRuns(
  from: LabHost,
  to: LabHost,
  address: string,
  size: number,
  runs: number,
): Promise<RunsOutcome> {
  const script = "runs.ts";
  const args = [RUNS_PORT, String(size)];
  // One that waits for the end of a run that was lost would keep the port.
  await using receiver = to.script(script, "receive", ...args);
  await receiver.line(/^receiving$/);
  await using sender = from.script(
    script,
    "send",
    address,
    ...args,
    String(runs),
  );
  const said = await sender.line(/^sent \d+$/, GRACE_SECONDS);
  const report: RunsReport = JSON.parse(
    await receiver.line(/^{/, GRACE_SECONDS),
  );
  await receiver.ended;
  await sender.ended;
  return { sent: Number(said.split(" ")[1]), ...report };
}
