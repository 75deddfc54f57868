// Claims of what is announced among the daemons of a host.
import type { Logger } from "../log/logger.ts";
import type { AnnounceTools } from "./world.ts";

/** Of the name of a daemon in an abstract one, which has 107 in all. */
const MOST_BYTES = 90;

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
  surroundings: ClaimSurroundings,
): Disposable | undefined {
  const what = `${address} (--anycast-address)`;
  return claim(`anytun/anycast/${address}`, what, surroundings);
}

/**
 * A script is told by the daemon of this name alone: whoever else tells it to
 * withdraw has the daemon announced no more, and not noticing.
 * @throws if another daemon of this host and name has a script
 */
export function claimScript(
  name: string,
  surroundings: ClaimSurroundings,
): Disposable | undefined {
  const bytes = new Uint8Array(MOST_BYTES);
  const { written } = new TextEncoder().encodeInto(name, bytes);
  const start = new TextDecoder().decode(bytes.subarray(0, written));
  const what = `'${name}' (--announce-script)`;
  return claim(`anytun/announce/${start}`, what, surroundings);
}

function claim(
  name: string,
  what: string,
  { claimName, logger, users, verb }: ClaimSurroundings,
): Disposable | undefined {
  const claim = claimName(name);
  if (typeof claim !== "number") return claim;
  if (claim === 0 || users.includes(claim)) {
    throw new Error(
      `Cannot ${verb} ${what}: another anytun of this host announces it, see ` +
        "'anytun status'; stop that, or give each its own",
    );
  }
  // Names are for everybody: it is not to keep a member from its duty.
  logger.warning(
    `user ${claim} of this host claims to announce ${what}, and may not: ` +
      "going on",
  );
  return undefined;
}
