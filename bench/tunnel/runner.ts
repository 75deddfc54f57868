/**
 * Takes all subjects through all scenarios, in turns.
 *
 * @module
 */

import type { TestFolder } from "../../lab/daemons.ts";
import type { Lab } from "../../lab/lab.ts";
import type { Failure, Sample } from "./report.ts";
import type { Readings, Scenario } from "./scenario.ts";
import type { Open, Subject } from "./subject.ts";
import type { Tunnel } from "./tunnel.ts";

/** What to run. */
export interface Plan {
  readonly subjects: readonly Subject[];
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** Seconds of each transfer. */
  readonly seconds: number;
  /** Stops the run; what runs at the moment fails with its reason. */
  readonly signal: AbortSignal;
  /** Says how far the run has come. */
  progress(line: string): void;
}

/** What came of it. */
export interface Outcome {
  readonly samples: readonly Sample[];
  readonly failures: readonly Failure[];
  /** What subjects said of their data plane, by id. */
  readonly planes: ReadonlyMap<string, string>;
}

/** Runs a plan in a lab. */
export class Runner {
  readonly #lab: Lab;
  readonly #scratch: TestFolder;
  readonly #plan: Plan;
  readonly #samples: Sample[] = [];
  readonly #failures: Failure[] = [];
  readonly #planes = new Map<string, string>();
  readonly #unstartable = new Set<string>();

  /**
   * @param lab where all tunnels are made, one at a time
   * @param scratch where they have their key files
   */
  constructor(lab: Lab, scratch: TestFolder, plan: Plan) {
    this.#lab = lab;
    this.#scratch = scratch;
    this.#plan = plan;
  }

  /**
   * Runs all rounds: A B C A B C, so that whatever else the machine does in the
   * meantime hits all subjects alike. A failure is noted and costs no more than
   * its own figures; a subject that does not start is not tried again.
   *
   * @throws the reason of the plan's signal
   */
  async run(): Promise<Outcome> {
    const { rounds, subjects } = this.#plan;
    for (let round = 1; round <= rounds; round++) {
      for (const subject of subjects) {
        if (this.#unstartable.has(subject.id)) continue;
        await this.#measure(subject, round);
      }
    }
    return {
      samples: this.#samples,
      failures: this.#failures,
      planes: this.#planes,
    };
  }

  async #measure(subject: Subject, round: number): Promise<void> {
    const { rounds, progress, scenarios } = this.#plan;
    progress(`round ${round} of ${rounds}, ${subject.label}`);
    const fitting = scenarios.filter(({ pairs }) =>
      subject.pair === undefined || pairs
    );
    const usual = fitting.filter(({ on }) => on === undefined);
    const opened = await this.#playAll(usual, subject, round, subject.open);
    if (!opened) this.#unstartable.add(subject.id);
    if (!opened) return;
    for (const variant of new Set(fitting.map(({ on }) => on))) {
      const open = variant && subject.variant?.(variant);
      if (open === undefined) continue;
      const those = fitting.filter(({ on }) => on === variant);
      await this.#playAll(those, subject, round, open);
    }
  }

  /** Returns whether the tunnel could be opened, where there was a need. */
  async #playAll(
    scenarios: readonly Scenario[],
    subject: Subject,
    round: number,
    open: Open,
  ): Promise<boolean> {
    if (scenarios.length === 0) return true;
    let tunnel: Tunnel;
    try {
      tunnel = await open(this.#lab, this.#scratch);
    } catch (error) {
      this.#fail(subject, round, `open for ${scenarios[0]?.name}`, error);
      return false;
    }
    await using _ended = tunnel;
    // The first one is the usual way to start it.
    if (tunnel.plane !== undefined && !this.#planes.has(subject.id)) {
      this.#planes.set(subject.id, tunnel.plane);
    }
    for (const scenario of scenarios) {
      await this.#play(scenario, subject, round, tunnel);
      if (tunnel.obituary !== undefined) break;
    }
    return true;
  }

  async #play(
    scenario: Scenario,
    subject: Subject,
    round: number,
    tunnel: Tunnel,
  ): Promise<void> {
    const { seconds, progress } = this.#plan;
    try {
      const bench = { lab: this.#lab, tunnel, seconds };
      const readings = await scenario.run(bench);
      this.#keep(subject, round, readings);
      progress(`  ${scenario.name}: ${brief(scenario, readings)}`);
    } catch (error) {
      const reason = tunnel.obituary ?? error;
      this.#fail(subject, round, scenario.name, reason);
    }
  }

  #keep(subject: Subject, round: number, readings: Readings): void {
    for (const [metric, value] of Object.entries(readings)) {
      this.#samples.push({ subject: subject.id, round, metric, value });
    }
  }

  #fail(
    subject: Subject,
    round: number,
    scenario: string,
    error: unknown,
  ): void {
    this.#plan.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    this.#failures.push({ subject: subject.id, round, scenario, reason });
    this.#plan.progress(`  ${scenario}: failed: ${reason}`);
  }
}

function brief(scenario: Scenario, readings: Readings): string {
  return scenario.metrics.map(({ id, unit }) =>
    `${readings[id]?.toFixed(3)} ${unit}`
  ).join(", ");
}
