// Health: whether this daemon may have traffic, looked at once a second.
import type { HealthOptions } from "../config/health.ts";
import type { Logger } from "../log/logger.ts";
import {
  type Fault,
  type Fitness,
  HealthMachine,
  type HealthSettings,
} from "../health/state_machine.ts";
import { fitnessLine } from "../status/report.ts";
import type { Phase, Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

/** Between two looks. */
const LOOK_MS = 1000;

/** What is wrong with one part of the daemon, if anything is. */
type HealthCheck = (options: HealthOptions) => Fault | undefined;

type HealthListener = (fitness: Fitness) => void;

/** Health and reasons, as people are told. */
type ShowHealth = (line: string) => void;

interface HealthContext {
  /** Each is looked at once a second, and must not wait. */
  readonly checks: readonly HealthCheck[];
  readonly logger: Logger;
  /** Of the first moment, and of each change of health or reasons. */
  readonly show: ShowHealth;
}

export class HealthService implements Service<HealthOptions> {
  readonly name = "health";
  readonly live = [
    ...["healthRise", "healthFall", "healthHold"],
    ...["healthSyncAge", "healthSyncLinks"],
  ];
  #options: HealthOptions;
  readonly #context: HealthContext;
  readonly #world: Pick<World, "elapsed" | "every">;
  readonly #machine: HealthMachine;
  readonly #listeners = new Set<HealthListener>();
  #told: Fitness["state"] = "starting";
  #shown: string | undefined;
  #isEnding = false;

  constructor(
    options: HealthOptions,
    context: HealthContext,
    world: Pick<World, "elapsed" | "every">,
  ) {
    this.#context = context;
    this.#world = world;
    this.#options = options;
    const settings = settingsOf(options);
    this.#machine = new HealthMachine(settings, world.elapsed, LOOK_MS);
    this.#show();
  }

  /** `since` is by `elapsed` of the world. */
  get fitness(): Fitness {
    return this.#machine.fitness;
  }

  /**
   * @param listener Called with each change of the state, in the same turn of
   * the event loop
   * @returns Ends that
   */
  subscribe(listener: HealthListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param reason For people, such as `drained by user 0` */
  drain(reason: string): void {
    this.#machine.drain(reason);
    this.#tell();
  }

  /** Has no effect on a daemon that is about to end. */
  undrain(): void {
    if (this.#isEnding) return;
    this.#machine.undrain();
    this.#tell();
  }

  /** From the first moment of the end on, whatever has caused it. */
  changed({ kind }: Phase): void {
    if (kind !== "draining") return;
    this.#isEnding = true;
    this.drain("it is about to end");
  }

  async run(stop: AbortSignal): Promise<void> {
    this.#look();
    await this.#world.every(LOOK_MS, () => this.#look(), stop);
  }

  reload(next: HealthOptions): void {
    this.#options = next;
    this.#machine.settings = settingsOf(next);
  }

  #look(): void {
    const faults = this.#context.checks.map((check) => check(this.#options))
      .filter((fault) => fault !== undefined);
    this.#machine.look(faults);
    this.#tell();
  }

  #tell(): void {
    const { fitness } = this.#machine;
    this.#show();
    if (fitness.state === this.#told) return;
    const { logger } = this.#context;
    logger.notice(`health: ${fitnessLine(fitness)} (${this.#told} before)`);
    this.#told = fitness.state;
    for (const listener of this.#listeners) listener(fitness);
  }

  #show(): void {
    const line = fitnessLine(this.#machine.fitness);
    if (line === this.#shown) return;
    this.#shown = line;
    this.#context.show(line);
  }
}

function settingsOf(
  { healthRise, healthFall, healthHold }: HealthOptions,
): HealthSettings {
  return { rise: healthRise, fall: healthFall, hold: healthHold * 1000 };
}
