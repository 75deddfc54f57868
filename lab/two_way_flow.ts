import { droppedAt } from "./dropped_datagrams.ts";
import type { LabHost } from "./host.ts";
import type { LabProcess } from "./process.ts";
import type { WayReport } from "./scripts/two_way.ts";

const PORT = 7002;

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

/** One of the two hosts, while the flow runs. */
interface RunningEnd {
  readonly host: LabHost;
  readonly process: LabProcess;
  /** Datagrams that came, but found the socket of the script full. */
  dropped: number;
}

/** Numbered datagrams from one host to another one, and back, all the time. */
export class TwoWayFlow {
  readonly #near: RunningEnd;
  readonly #far: RunningEnd;

  private constructor(near: RunningEnd, far: RunningEnd) {
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
    const start = ({ host }: FlowEnd, { address }: FlowEnd): RunningEnd => {
      const args = [`${PORT}`, address, `${interval}`];
      return { host, process: host.script("two_way.ts", ...args), dropped: 0 };
    };
    const flow = new TwoWayFlow(start(near, far), start(far, near));
    await Promise.all(
      [flow.#near, flow.#far].map(({ process }) => process.line(/^flowing$/)),
    );
    // The first datagrams find the runtime cold, on both hosts.
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

  /**
   * Waits until what was sent so far has come, in both directions: then nobody
   * holds any of it who is sent nothing more.
   */
  async through(): Promise<void> {
    const [near, far] = [this.#near.process, this.#far.process];
    await Promise.all([[near, far], [far, near]].map(async ([from, to]) => {
      if (from === undefined || to === undefined) return;
      const sent = await ask(from, "sent", /^\d+$/);
      await ask(to, `through ${sent}`, /^through$/);
    }));
  }

  async #way(from: RunningEnd, to: RunningEnd): Promise<WayReport> {
    const sent = await ask(from.process, "sent", /^\d+$/);
    const report: WayReport = JSON.parse(
      await ask(to.process, `report ${sent}`, /^{/),
    );
    const dropped = await droppedAt(to.host, PORT);
    const lost = Math.max(0, report.lost - (dropped - to.dropped));
    to.dropped = dropped;
    return { ...report, lost };
  }
}

async function ask(
  process: LabProcess,
  what: string,
  answer: RegExp,
): Promise<string> {
  const seen = process.lines.length;
  await process.tell(what);
  return await process.line(answer, undefined, seen);
}
