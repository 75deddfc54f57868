// The health of the daemon `anytun`: what is looked at, and who may drain it.
import type { HealthOptions } from "../config/health.ts";
import type { StatusControl } from "../status/site.ts";
import type { ClusterServices } from "./cluster_services.ts";
import type { DeviceServices } from "./device_services.ts";
import {
  clockCheck,
  ClusterCheck,
  deviceCheck,
  numbersCheck,
  planeCheck,
} from "./health_checks.ts";
import { HealthService } from "./health_service.ts";
import type { OwnConnection } from "./own_connection.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";
import type { World } from "./world.ts";

/** The socket is the user's that the daemon was once, and has become since. */
export function controlOf(
  health: HealthService,
  { effectiveUser }: Pick<World, "effectiveUser">,
): StatusControl {
  return {
    mayChange: (uid) => uid === 0 || uid === effectiveUser(),
    drain: (uid) => health.drain(`drained by ${userText(uid)}`),
    undrain: () => health.undrain(),
  };
}

function userText(uid: number): string {
  return uid === 0 ? "root" : `user ${uid}`;
}

export interface HealthServices {
  readonly health: HealthService;
  readonly inStep: ClusterCheck;
}

export function healthServices(
  { logger, options, showManager, table, world }: TunnelFrame,
  { ends, plane }: DeviceServices,
  { rotation }: OwnConnection,
  { member }: ClusterServices,
): HealthServices {
  const { elapsed } = world;
  const inStep = new ClusterCheck({
    links: () => member?.links() ?? [],
    hasConnections: () => table.liveMuxes().length > 0,
    elapsed,
  });
  const checks = [
    planeCheck(() => plane.running),
    deviceCheck(() => ends.device),
    numbersCheck(() => table.numbersAreRefused),
    (options: HealthOptions) => inStep.look(options),
    clockCheck(() => rotation?.clockFault),
  ];
  const context = { checks, logger, show: showManager };
  return { health: new HealthService(options, context, world), inStep };
}
