// Claims of anycast addresses among the daemons of a host.
import type { Logger } from "../log/logger.ts";
import type { AnnounceTools } from "./world.ts";

export interface ClaimSurroundings extends Pick<AnnounceTools, "claimName"> {
  readonly logger: Pick<Logger, "warning">;
  /** Besides root, whom daemons of this host run as. */
  readonly users: readonly (number | undefined)[];
  /** What it is claimed for. */
  readonly verb: "announce" | "withdraw";
}

/**
 * Two daemons would take away what the other one has put there.
 * @throws if another daemon of this host announces the address
 */
export function claimAnycast(
  address: string,
  { claimName, logger, users, verb }: ClaimSurroundings,
): Disposable | undefined {
  const claim = claimName(`anytun/anycast/${address}`);
  if (typeof claim !== "number") return claim;
  if (claim === 0 || users.includes(claim)) {
    throw new Error(
      `Cannot ${verb} ${address} (--anycast-address): another anytun of this ` +
        "host announces it, see 'anytun status'; stop that, or give each its own",
    );
  }
  // Names are for everybody: it is not to keep a member from its duty.
  logger.warning(
    `user ${claim} of this host claims to announce ${address} ` +
      "(--anycast-address), and may not: going on",
  );
  return undefined;
}
