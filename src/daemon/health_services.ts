// The health of the daemon `anytun`: what is looked at, and who may drain it.
import { fitnessLine } from "../status/report.ts";
import type { StatusControl } from "../status/site.ts";
import type { ClusterServices } from "./cluster_services.ts";
import type { DeviceServices } from "./device_services.ts";
import {
  clockCheck,
  clusterCheck,
  deviceCheck,
  planeCheck,
} from "./health_checks.ts";
import { HealthService } from "./health_service.ts";
import type { OwnConnection } from "./own_connection.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";
import type { World } from "./world.ts";

/** The socket is the user's that the daemon was once, and has become since. */
export function controlOf(
  health: HealthService,
  { effectiveUser }: World,
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

/** In good time before those who lead traffic here look themselves. */
const HEALTH = { rise: 3, fall: 3, hold: 10_000 };

export function healthOf(
  { logger, showManager, world }: TunnelFrame,
  { ends, plane }: DeviceServices,
  { rotation }: OwnConnection,
  { member }: ClusterServices,
): HealthService {
  const checks = [
    planeCheck(() => plane.running),
    deviceCheck(() => ends.device),
    clusterCheck(() => member?.status()),
    clockCheck(() => rotation?.clockFault),
  ];
  const health = new HealthService(HEALTH, { checks, logger }, world);
  health.subscribe((fitness) => showManager(fitnessLine(fitness)));
  return health;
}
