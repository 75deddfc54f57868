// Parts of the announcement: claims, device, script and guard.
import {
  type AnnounceOptions,
  announceScriptFault,
} from "../config/announce.ts";
import { PACKAGED_USER } from "../config/host_files.ts";
import { formatAddress } from "../net/address.ts";
import { FROM_PEERS } from "../status/sums.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import { AnnounceScript } from "./announce_script.ts";
import { Announcement, type AnnouncementParts } from "./announcement.ts";
import { AnycastAddresses } from "./anycast_addresses.ts";
import { claimAnycast, claimScript } from "./anycast_claim.ts";
import type { DataPlane } from "./data_plane.ts";
import { Guard, MAIN_PATIENCE_MS, PATIENCE_MS } from "./guard.ts";
import { guardLogOf } from "./guard_log.ts";
import type { HealthService } from "./health_service.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";
import type { AnnounceTools } from "./world.ts";

interface OwnDevice {
  readonly ends: { readonly device: Pick<DeviceHandle, "name"> };
  readonly plane: Pick<DataPlane, "beatTo">;
}

export async function openAnnouncement(
  announce: AnnounceOptions,
  frame: TunnelFrame,
  health: Pick<HealthService, "subscribe">,
  device: OwnDevice,
): Promise<Announcement> {
  const { logger, options, table, world } = frame;
  const tools = await world.announcing();
  return new Announcement(announce, options.drainTime, {
    ...{ health, logger },
    elapsed: world.elapsed,
    every: world.every,
    open: (cleanup) => openParts(announce, frame, device, tools, cleanup),
    received: () => receivedFromPeers(table),
  });
}

function openParts(
  announce: AnnounceOptions,
  frame: TunnelFrame,
  { ends, plane }: OwnDevice,
  tools: AnnounceTools,
  cleanup: DisposableStack,
): AnnouncementParts {
  const { addresses: prefixes, device, script: path } = announce;
  const { identity, logger, options, world } = frame;
  // Its name may be the kernel's choice; with --netns it is elsewhere.
  if (device === ends.device.name && options.netns === undefined) {
    throw new Error(
      `Cannot use '${device}' (--anycast-device): it is the tunnel's own ` +
        "device; name another one, such as anycast0",
    );
  }
  if (path !== undefined) checkScript(path, tools);
  claimAll(announce, frame, tools, cleanup);
  const script = path === undefined
    ? undefined
    : new AnnounceScript(path, options, { ...world, logger });
  if (script !== undefined) cleanup.defer(() => script.close());
  const addresses = device === undefined
    ? undefined
    : new AnycastAddresses(prefixes, device, tools.openAnycastDevice, logger);
  if (addresses !== undefined) cleanup.defer(() => addresses.close());
  const guard = tools.startGuard({
    device: device ?? null,
    addresses: prefixes.map(({ address, length }) => {
      return { bytes: [...address.bytes], length };
    }),
    patience: PATIENCE_MS,
    mainPatience: MAIN_PATIENCE_MS,
    identity: identity === undefined
      ? null
      : { uid: identity.uid, gid: identity.gid },
    hasScript: script !== undefined,
    isConfined: !options.noSandbox,
    log: guardLogOf(options, tools.absolute),
  }, script?.words);
  plane.beatTo(guard.socket);
  return { addresses, script, guard: cleanup.use(new Guard(guard, logger)) };
}

/** @throws if it could not be run when it is to be */
function checkScript(
  path: string,
  { kindOf }: Pick<AnnounceTools, "kindOf">,
): void {
  const fault = announceScriptFault(path, kindOf(path));
  if (fault !== undefined) throw new Error(fault);
}

/** @throws if another daemon of this host announces one of them, or the name */
function claimAll(
  { addresses, script }: AnnounceOptions,
  { identity, logger, options, world }: TunnelFrame,
  tools: AnnounceTools,
  cleanup: DisposableStack,
): void {
  // What this daemon becomes another one may have been from the start.
  const users = [
    world.effectiveUser(),
    identity?.uid,
    world.control.findUser(PACKAGED_USER)?.uid,
  ];
  const surroundings = { ...tools, logger, users, verb: "announce" } as const;
  for (const { address } of addresses) {
    cleanup.use(claimAnycast(formatAddress(address), surroundings));
  }
  if (script !== undefined) {
    cleanup.use(claimScript(options.name, surroundings));
  }
}

function receivedFromPeers(table: ConnectionTable): number {
  let sum = 0;
  for (const mux of table.liveMuxes()) {
    for (const counter of FROM_PEERS) sum += table.counters.sumOf(mux, counter);
  }
  return sum;
}
