// Checks of the health: what each part of the daemon says of itself.
import type { Fault } from "../health/state_machine.ts";
import type { ClusterReport } from "../status/report.ts";
import type { DeviceHandle, RunningPlane } from "../tunnel/plane.ts";
import type { HealthCheck } from "./health_service.ts";

type Probed = Pick<RunningPlane, "rounds" | "dropRetired">;

/**
 * Whether each thread of the plane has gone round since the last look, when all
 * were woken: that costs them one round each, and no timer.
 * @param plane undefined while there is none, or none any more
 */
export function planeCheck(plane: () => Probed | undefined): HealthCheck {
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
): HealthCheck {
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
    return false;
  }
}

export function clusterCheck(
  cluster: () => ClusterReport | undefined,
): HealthCheck {
  return () =>
    cluster()?.inStep === false
      ? { text: "not in step with the cluster" } satisfies Fault
      : undefined;
}

/** @param fault What is wrong with the clock of this host */
export function clockCheck(fault: () => string | undefined): HealthCheck {
  return () => {
    const text = fault();
    return text === undefined ? undefined : { text };
  };
}
