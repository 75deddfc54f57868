// Checks of the health: what each part of the daemon says of itself.
import type { HealthOptions } from "../config/health.ts";
import { type Link, stepFault } from "../health/in_step.ts";
import type { Fault } from "../health/state_machine.ts";
import type { DeviceHandle, RunningPlane } from "../tunnel/plane.ts";

type Probed = Pick<RunningPlane, "rounds" | "dropRetired">;

/**
 * Whether each thread of the plane has gone round since the last look, when all
 * were woken: that costs them one round each, and no timer.
 * @param plane undefined while there is none, or none any more
 */
export function planeCheck(
  plane: () => Probed | undefined,
): () => Fault | undefined {
  let before: readonly number[] = [];
  return () => {
    const running = plane();
    if (running === undefined) {
      before = [];
      return { text: "there is no data plane", isCertain: true };
    }
    const rounds = running.rounds();
    const stuck = rounds.filter((count, k) => count === before[k]).length;
    before = rounds;
    running.dropRetired();
    return stuck === 0 ? undefined : {
      text: `${stuck} of ${rounds.length} threads of the data plane ` +
        "do not go round",
    };
  };
}

/**
 * A device that is not found may be in another network namespace by now: where
 * it is gone, the plane that reads it ends.
 */
export function deviceCheck(
  device: () => Pick<DeviceHandle, "name" | "isRunning">,
): () => Fault | undefined {
  return () => {
    const handle = device();
    return isDown(handle)
      ? { text: `the device ${handle.name} is down`, isCertain: true }
      : undefined;
  };
}

function isDown(device: Pick<DeviceHandle, "isRunning">): boolean {
  try {
    return !device.isRunning();
  } catch {
    // In another namespace it carries; one that is gone ends the data plane.
    return false;
  }
}

/** Who gets no sequence numbers can send nothing once those it has are used. */
export function numbersCheck(
  areRefused: () => boolean,
): () => Fault | undefined {
  return () =>
    areRefused()
      ? {
        text:
          "the state folder takes no more sequence numbers (--state-dir), " +
          "so that sending stops",
      }
      : undefined;
}

interface ClusterContext {
  /** To those that it follows. */
  readonly links: () => readonly Link[];
  readonly hasConnections: () => boolean;
  readonly elapsed: () => number;
}

/** In step with the other members, as far as this one can tell. */
export class ClusterCheck {
  readonly #context: ClusterContext;
  #began: number | undefined;
  #isInStep = false;

  constructor(context: ClusterContext) {
    this.#context = context;
  }

  /** As it was at the last look. */
  get isInStep(): boolean {
    return this.#isInStep;
  }

  look({ healthSyncAge, healthSyncLinks }: HealthOptions): Fault | undefined {
    const { elapsed, hasConnections, links } = this.#context;
    const now = elapsed();
    this.#began ??= now;
    const settings = { age: healthSyncAge * 1000, links: healthSyncLinks };
    const start = { elapsed: now - this.#began, hasConnections };
    const text = stepFault(links(), settings, start);
    this.#isInStep = text === undefined;
    // It has waited for long already.
    return text === undefined ? undefined : { text, isCertain: true };
  }
}

/** @param fault What is wrong with the clock of this host */
export function clockCheck(
  fault: () => string | undefined,
): () => Fault | undefined {
  return () => {
    const text = fault();
    return text === undefined ? undefined : { text };
  };
}
