import type { LabHost } from "./host.ts";
import type { LabProcess } from "./process.ts";
import type { WayReport } from "./scripts/two_way.ts";

const PORT = "7002";

/** A host, and where the other one reaches it. */
export interface FlowEnd {
  readonly host: LabHost;
  readonly address: string;
}

/** What became of datagrams in both directions. */
export interface TwoWayReport {
  readonly there: WayReport;
  readonly back: WayReport;
}

/** Numbered datagrams from one host to another one, and back, all the time. */
export class TwoWayFlow {
  readonly #near: LabProcess;
  readonly #far: LabProcess;

  private constructor(near: LabProcess, far: LabProcess) {
    this.#near = near;
    this.#far = far;
  }

  /**
   * Starts the flow between hosts that reach each other.
   *
   * @param interval From one datagram to the next, in ms.
   */
  static async start(
    near: FlowEnd,
    far: FlowEnd,
    interval: number,
  ): Promise<TwoWayFlow> {
    const start = (from: FlowEnd, to: FlowEnd) =>
      from.host.script("two_way.ts", PORT, to.address, String(interval));
    const flow = new TwoWayFlow(start(near, far), start(far, near));
    await Promise.all(
      [flow.#near, flow.#far].map((end) => end.line(/^flowing$/)),
    );
    // The first datagrams find the runtime cold, on both hosts.
    await flow.during(() => Promise.resolve());
    await flow.during(() => Promise.resolve());
    return flow;
  }

  /** What became of datagrams while something happened, and a bit after. */
  async during(happens: () => Promise<unknown>): Promise<TwoWayReport> {
    await happens();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const [there, back] = await Promise.all([
      this.#way(this.#near, this.#far),
      this.#way(this.#far, this.#near),
    ]);
    return { there, back };
  }

  async #way(from: LabProcess, to: LabProcess): Promise<WayReport> {
    const before = from.lines.length;
    await from.tell("sent");
    const sent = await from.line(/^\d+$/, undefined, before);
    const seen = to.lines.length;
    await to.tell(`report ${sent}`);
    return JSON.parse(await to.line(/^{/, undefined, seen));
  }
}
