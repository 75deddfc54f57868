import { type ClusterLab, HOME } from "./cluster_lab.ts";
import type { FlowReport } from "./scripts/flow.ts";
import { serve } from "./measure.ts";
import type { LabProcess } from "./process.ts";

/** Datagrams from the client of a cluster to the host behind it, and back. */
export class ClusterFlow {
  readonly #process: LabProcess;

  private constructor(process: LabProcess) {
    this.#process = process;
  }

  /**
   * Starts the flow once the client reaches that host.
   *
   * @param interval From one datagram to the next, in ms.
   */
  static async start(lab: ClusterLab, interval: number): Promise<ClusterFlow> {
    await serve(lab.home);
    await lab.client.ping(HOME);
    const args = [HOME, "7000", String(interval)];
    const process = lab.client.script("flow.ts", ...args);
    await process.line(/^flowing$/);
    const flow = new ClusterFlow(process);
    // The first datagrams find the runtime cold, on both hosts.
    await flow.during(() => Promise.resolve());
    return flow;
  }

  /** What became of datagrams while something happened, and a bit after. */
  async during(happens: () => Promise<unknown>): Promise<FlowReport> {
    await happens();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const seen = this.#process.lines.length;
    await this.#process.tell("report");
    return JSON.parse(await this.#process.line(/^{/, 10, seen));
  }
}
