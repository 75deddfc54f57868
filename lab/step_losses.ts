import type { TwoWayFlow } from "./two_way_flow.ts";

/** Datagrams of a flow. */
type Lost = readonly [there: number, back: number];

/** What each step of something longer costs a flow that goes on. */
export class StepLosses {
  readonly #flow: TwoWayFlow;
  readonly #byStep: Record<string, Lost> = {};

  constructor(flow: TwoWayFlow) {
    this.#flow = flow;
  }

  async during(what: string, happens: () => Promise<unknown>): Promise<void> {
    const { there, back } = await this.#flow.during(happens);
    this.#byStep[what] = [there.lost, back.lost];
  }

  get byStep(): Readonly<Record<string, Lost>> {
    return this.#byStep;
  }
}
