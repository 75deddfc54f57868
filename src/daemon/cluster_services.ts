// The part of a daemon in a cluster: routes and connections that it learns from
// others, and tells them.
import type { AnytunOptions } from "../config/anytun.ts";
import { LeavingKeys } from "../tunnel/leaving_keys.ts";
import { OwnRoutes } from "./own_routes.ts";
import { SyncCertificates } from "./sync_certificates.ts";
import type { SyncMember } from "./sync_member.ts";
import { SyncState } from "./sync_state.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";

export interface ClusterServices {
  /** Keys that others have taken the place of. */
  readonly leaving: LeavingKeys;
  readonly syncState: SyncState;
  readonly certificates: SyncCertificates<AnytunOptions>;
  /** undefined outside of a cluster. */
  readonly member: SyncMember | undefined;
  readonly ownRoutes: OwnRoutes;
}

export async function clusterServices(
  frame: TunnelFrame,
): Promise<ClusterServices> {
  const { limited, logger, options, table, world } = frame;
  const { dropRetired, peerMoved, prepare, routeChanged } = frame.hooks;
  const { delay, elapsed } = world;
  const leaving = new LeavingKeys({ table, delay, dropRetired });
  const state = new SyncState({
    table,
    routeTable: frame.routes,
    interfaceIndex: frame.interfaceIndex,
    chainMux: frame.chainMux,
    delay,
    elapsed,
    limited,
    prepare: (mux) => void prepare(mux),
    routeChanged,
    peerMoved,
    leaving,
  });
  const certificates = new SyncCertificates<AnytunOptions>(
    options,
    (next) => next.cluster,
    logger,
  );
  const member = await memberOf(frame, certificates, state);
  const ownRoutes = new OwnRoutes(options, {
    state,
    claim: (route) => member?.claimRoute(route),
    tell: (route) => member?.tellRoute(route),
    takeBack: (route) => member?.takeRouteBack(route),
    logger,
  });
  return { leaving, syncState: state, certificates, member, ownRoutes };
}

async function memberOf(
  { identity, limited, logger, options, secrets, world }: TunnelFrame,
  certificates: SyncCertificates<AnytunOptions>,
  state: SyncState,
): Promise<SyncMember | undefined> {
  const { cluster, kdPrf } = options;
  const { syncServer, syncServers } = cluster;
  if (syncServer === undefined && syncServers.length === 0) return undefined;
  const hasKeys = secrets !== undefined || options.keyChain !== undefined;
  const ownMux = hasKeys ? options.mux : undefined;
  const { SyncMember } = await import("./sync_member.ts");
  return new SyncMember(
    { ...cluster, syncTls: certificates.identity },
    { logger, limited, identity, state, kdPrf, ownMux },
    world,
  );
}
