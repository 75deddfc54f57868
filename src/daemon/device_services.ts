// The device of a daemon and what packets come and go by: sockets, data plane,
// scripts that set it up, routes of the kernel.
import { LiveSettings } from "../tunnel/live_settings.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import type { ClusterServices } from "./cluster_services.ts";
import { DataPlane, DeviceAndSockets } from "./data_plane.ts";
import { DownScript } from "./down_script.ts";
import type { KernelRoutes } from "./kernel_routes.ts";
import type { Service } from "./lifecycle.ts";
import type { OwnConnection } from "./own_connection.ts";
import type { Peer } from "./peer.ts";
import { postUpScript } from "./post_up.ts";
import type { SyncState } from "./sync_state.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";

export interface DeviceServices {
  readonly ends: DeviceAndSockets;
  readonly plane: DataPlane;
  readonly down: DownScript | undefined;
  readonly postUp: Service | undefined;
  readonly kernelRoutes: KernelRoutes | undefined;
}

export async function deviceServices(
  frame: TunnelFrame,
  { peer, rotation }: OwnConnection,
  { syncState }: Pick<ClusterServices, "syncState">,
): Promise<DeviceServices> {
  const { logger, options, state, world } = frame;
  const ends = new DeviceAndSockets(
    options,
    world,
    logger,
    state?.numbers,
    rotation && ((ids) => rotation.claim(ids)),
  );
  const device = () => ends.device;
  return {
    ends,
    plane: planeOf(frame, ends),
    down: options.downScript === undefined
      ? undefined
      : new DownScript(options, device, world, logger),
    postUp: options.postUp && postUpScript(options, device, world, logger),
    kernelRoutes: await kernelRoutesOf(frame, device, peer, syncState),
  };
}

async function kernelRoutesOf(
  { limited, logger, options, world }: TunnelFrame,
  device: () => DeviceHandle,
  peer: Peer,
  syncState: SyncState,
): Promise<KernelRoutes | undefined> {
  if (options.kernelRoutes === undefined) return undefined;
  const { KernelRoutes } = await import("./kernel_routes.ts");
  return new KernelRoutes(options.kernelRoutes, {
    device,
    routes: () => syncState.routes(),
    routeTo: (route) => syncState.routeTo(route),
    ownPeer: () => peer.address,
    peerOf: (mux) => syncState.peerOf(mux),
    delay: world.delay,
    elapsed: world.elapsed,
    every: world.every,
    logger,
    limited,
  });
}

function planeOf(frame: TunnelFrame, ends: DeviceAndSockets): DataPlane {
  const { accepted, floors, options, routes, table, world } = frame;
  const { moved, refused } = frame.hooks;
  const live = new LiveSettings();
  live.take(options);
  return new DataPlane(
    ends,
    { table, routes, accepted, floors, live, moved, refused },
    world.elapsed,
  );
}
