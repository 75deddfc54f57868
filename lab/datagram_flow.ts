import { droppedAt } from "./dropped_datagrams.ts";
import type { LabHost } from "./host.ts";
import { TRAFFIC_PORT } from "./measure.ts";
import type { LabProcess } from "./process.ts";
import { FLOW_PORT, type FlowReport } from "./scripts/flow.ts";

/** Numbered datagrams from one host to another one that serves, and back. */
export class DatagramFlow {
  readonly #process: LabProcess;
  readonly #ends: readonly (readonly [host: LabHost, port: number])[];
  #dropped = 0;

  private constructor(process: LabProcess, near: LabHost, far: LabHost) {
    this.#process = process;
    this.#ends = [[near, FLOW_PORT], [far, Number(TRAFFIC_PORT)]];
  }

  /**
   * @param address Of the far host, which decides on the way.
   * @param interval From one datagram to the next, in ms.
   */
  static async start(
    near: LabHost,
    far: LabHost,
    address: string,
    interval: number,
  ): Promise<DatagramFlow> {
    const args = [address, TRAFFIC_PORT, String(interval)];
    const process = near.script("flow.ts", ...args);
    await process.line(/^flowing$/);
    return new DatagramFlow(process, near, far);
  }

  /** What became of the datagrams since the last report. */
  async report(): Promise<FlowReport> {
    const seen = this.#process.lines.length;
    await this.#process.tell("report");
    const report: FlowReport = JSON.parse(
      await this.#process.line(/^{/, undefined, seen),
    );
    const counts = await Promise.all(
      this.#ends.map(([host, port]) => droppedAt(host, port)),
    );
    const dropped = counts.reduce((sum, count) => sum + count, 0);
    const lost = Math.max(0, report.lost - (dropped - this.#dropped));
    this.#dropped = dropped;
    return { ...report, lost };
  }
}
