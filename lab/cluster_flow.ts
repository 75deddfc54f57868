import { type ClusterLab, HOME } from "./cluster_lab.ts";
import { DatagramFlow } from "./datagram_flow.ts";
import { serve } from "./measure.ts";
import type { FlowReport } from "./scripts/flow.ts";

/** Datagrams from the client of a cluster to the host behind it, and back. */
export class ClusterFlow {
  readonly #flow: DatagramFlow;

  private constructor(flow: DatagramFlow) {
    this.#flow = flow;
  }

  /**
   * Starts the flow once the client reaches that host.
   *
   * @param interval From one datagram to the next, in ms.
   */
  static async start(
    { client, home }: ClusterLab,
    interval: number,
  ): Promise<ClusterFlow> {
    await serve(home);
    await client.ping(HOME);
    const flow = new ClusterFlow(
      await DatagramFlow.start(client, home, HOME, interval),
    );
    // The first datagrams find the runtime cold, on both hosts.
    await flow.during(() => Promise.resolve());
    return flow;
  }

  /** What became of datagrams while something happened, and a bit after. */
  async during(happens: () => Promise<unknown>): Promise<FlowReport> {
    await happens();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return await this.#flow.report();
  }
}
