// The part of a daemon in a cluster: routes and connections that it learns from
// others, and tells them.
import type { AnytunOptions } from "../config/anytun.ts";
import { LeavingKeys } from "../tunnel/leaving_keys.ts";
import { OwnRoutes } from "./own_routes.ts";
import { SyncCertificates } from "./sync_certificates.ts";
import { SyncMember } from "./sync_member.ts";
import { SyncState } from "./sync_state.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";

export interface ClusterServices {
  /** Keys that others have taken the place of. */
  readonly leaving: LeavingKeys;
  readonly syncState: SyncState;
  readonly certificates: SyncCertificates<AnytunOptions>;
  readonly member: SyncMember;
  readonly ownRoutes: OwnRoutes;
}

export function clusterServices(frame: TunnelFrame): ClusterServices {
  const { identity, limited, logger, options, table, world } = frame;
  const { dropRetired, prepare, routesChanged } = frame.hooks;
  const { cluster, kdPrf } = options;
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
    routesChanged,
    leaving,
  });
  const certificates = new SyncCertificates<AnytunOptions>(
    options,
    (next) => next.cluster,
    logger,
  );
  const member = new SyncMember(
    { ...cluster, syncTls: certificates.identity },
    { logger, limited, identity, state, kdPrf },
    world,
  );
  const ownRoutes = new OwnRoutes(options, {
    state,
    tell: (record) => member.tell(record),
    logger,
  });
  return { leaving, syncState: state, certificates, member, ownRoutes };
}
