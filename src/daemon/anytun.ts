// The daemon `anytun`.
import type { AnytunOptions } from "../config/anytun.ts";
import { noMembers } from "../status/members_report.ts";
import type { Announcement } from "./announcement.ts";
import { type ClusterServices, clusterServices } from "./cluster_services.ts";
import { type DeviceServices, deviceServices } from "./device_services.ts";
import type { HealthService } from "./health_service.ts";
import {
  controlOf,
  type HealthServices,
  healthServices,
} from "./health_services.ts";
import { KeptNumbers } from "./kept_numbers.ts";
import type { Service } from "./lifecycle.ts";
import { type OwnConnection, ownConnection } from "./own_connection.ts";
import type { Configured } from "./reload.ts";
import { type Frame, runProgram } from "./run_program.ts";
import { StatusReport } from "./status_report.ts";
import { StatusService } from "./status_service.ts";
import type { MemberServices } from "./member_services.ts";
import { openTunnelFrame, type TunnelFrame } from "./tunnel_frame.ts";
import { watchServices } from "./watch_services.ts";
import type { World } from "./world.ts";

export function runAnytun(
  configured: Configured<AnytunOptions>,
  world: World,
): Promise<number> {
  const { options } = configured;
  return runProgram({
    name: "anytun",
    configured,
    started: "tunnel is set up",
    services: (frame) => servicesOf(options, world, frame),
  }, world);
}

/**
 * The order is that of CLI section 3, but device, sockets and script come while
 * the privileges last: afterwards nothing can fail but the peer's name.
 */
async function servicesOf(
  options: AnytunOptions,
  world: World,
  program: Frame,
): Promise<readonly Service<AnytunOptions>[]> {
  const frame = await openTunnelFrame(options, world, program);
  const cluster = await clusterServices(frame);
  const own = await ownConnection(frame, cluster.leaving);
  const device = await deviceServices(frame, own, cluster);
  const watch = watchServices(frame, device, own);
  const judged = healthServices(frame, device, own, cluster);
  const { health } = judged;
  const others = await membersOf(frame, cluster, judged);
  const announcement = await announcementOf(frame, health, device);
  const parts = {
    announcement,
    ...{ ...cluster, ...own, ...device, ...watch, ...judged },
    roster: others?.roster,
  };
  frame.hooks.connect(parts);
  const services: readonly (Service<AnytunOptions> | undefined)[] = [
    // First and last: it tells of the others.
    statusOf(frame, parts),
    new KeptNumbers(options, frame.state, frame.table, world),
    cluster.ownRoutes,
    own.rotation,
    device.ends,
    cluster.certificates,
    cluster.member,
    others?.floors,
    others?.roster,
    device.plane,
    device.down,
    device.postUp,
    device.kernelRoutes,
    own.peer,
    watch.events,
    watch.keepAlive,
    watch.missing,
    watch.faults,
    // Last but one, since it says when what leads traffic here should not.
    health,
    // Stopped first: nothing else ends before routers have learnt of it.
    announcement,
  ];
  return services.filter((service) => service !== undefined);
}

async function announcementOf(
  frame: TunnelFrame,
  health: HealthService,
  device: Pick<DeviceServices, "ends" | "plane">,
): Promise<Announcement | undefined> {
  const { announce } = frame.options;
  if (announce === undefined) return undefined;
  const { openAnnouncement } = await import("./announce_services.ts");
  return await openAnnouncement(announce, frame, health, device);
}

function statusOf(
  { interfaceName, limited, logger, options, table, world }: TunnelFrame,
  parts:
    & ClusterServices
    & OwnConnection
    & DeviceServices
    & HealthServices
    & {
      readonly announcement: Announcement | undefined;
      readonly roster: MemberServices["roster"] | undefined;
    },
): StatusService {
  const { announcement, ends, health, inStep, member, peer, plane } = parts;
  const { roster, rotation, syncState } = parts;
  const report = new StatusReport({
    options,
    table,
    interfaceName,
    ends: () => ends.status(),
    answers: () => plane.answers(world.delay),
    fitness: () => health.fitness,
    announcement: () => announcement?.status(),
    planeCounters: () => plane.counters(),
    peer: () => peer.remoteHost,
    routes: () => syncState.routes(),
    cluster: () => {
      const cluster = member?.status();
      return cluster && { inStep: inStep.isInStep, ...cluster };
    },
    keyEpoch: () => rotation?.epoch,
  }, world);
  const control = controlOf(health, world);
  const { name } = options;
  const members = () => roster?.snapshot() ?? noMembers(name, world.now());
  const context = { report, members, control, logger, limited };
  return new StatusService(options, context, world);
}

async function membersOf(
  frame: TunnelFrame,
  { member }: Pick<ClusterServices, "member">,
  { health, inStep }: HealthServices,
): Promise<MemberServices | undefined> {
  if (member === undefined) return undefined;
  const { memberServices } = await import("./member_services.ts");
  return memberServices(frame, member, {
    health: () => health.fitness,
    inStep: () => inStep.isInStep,
  });
}
