// Services that look at a tunnel while it carries packets: what becomes of its
// peers, and what keeps packets from coming through.
import { masterSecrets } from "../satp/secrets.ts";
import type { DeviceServices } from "./device_services.ts";
import { FaultFinding } from "./fault_finding.ts";
import { KeepAliveService } from "./keep_alive.ts";
import type { Service } from "./lifecycle.ts";
import { missingParts } from "./missing.ts";
import type { OwnConnection } from "./own_connection.ts";
import { PeerEvents } from "./peer_events.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";

interface WatchServices {
  readonly events: PeerEvents;
  readonly keepAlive: KeepAliveService;
  readonly missing: Service;
  readonly faults: FaultFinding;
}

export function watchServices(
  frame: TunnelFrame,
  { ends }: Pick<DeviceServices, "ends">,
  { peer }: Pick<OwnConnection, "peer">,
): WatchServices {
  const { chainMux, interfaceName, logger, options, table, world } = frame;
  const { isPortClosed, sendDue } = frame.hooks;
  const { authAlgo, cipher, kdPrf, tagLength } = options;
  return {
    events: new PeerEvents(
      options,
      { table, interfaceName, logger, isPortClosed },
      world,
    ),
    keepAlive: new KeepAliveService(options, table, sendDue, world),
    missing: missingParts(options, {
      device: () => ends.device,
      isConnected: () => peer.isConnected,
      logger,
    }, world),
    faults: new FaultFinding(options, {
      params: { cipher, kdPrf, authAlgo, tagLength },
      chained: chainMux,
      secretsWith: (kdPrf, given) => masterSecrets(kdPrf, given, world.digest),
      table,
      logger,
    }, world),
  };
}
