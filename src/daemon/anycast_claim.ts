// Claims of anycast addresses among the daemons of a host.
import type { Identity } from "../../ffi/process/identity.ts";
import type { Logger } from "../log/logger.ts";
import type { AnnounceTools, World } from "./world.ts";

interface ClaimSurroundings
  extends Pick<AnnounceTools, "claimName">, Pick<World, "effectiveUser"> {
  readonly logger: Logger;
  /** What this daemon becomes, as another one may have from the start. */
  readonly identity: Pick<Identity, "uid"> | undefined;
}

/**
 * Two daemons would take away what the other one has put there.
 * @throws if another daemon of this host announces the address
 */
export function claimAnycast(
  address: string,
  { claimName, effectiveUser, logger, identity }: ClaimSurroundings,
): Disposable | undefined {
  const claim = claimName(`anytun/anycast/${address}`);
  if (typeof claim !== "number") return claim;
  if ([0, effectiveUser(), identity?.uid].includes(claim)) {
    throw new Error(
      `Cannot announce ${address} (--anycast-address): another anytun of this ` +
        "host does, see 'anytun status'; stop that, or give each its own",
    );
  }
  // Names are for everybody: it is not to keep a member from its duty.
  logger.warning(
    `user ${claim} of this host claims to announce ${address} ` +
      "(--anycast-address), and may not: going on",
  );
  return undefined;
}
