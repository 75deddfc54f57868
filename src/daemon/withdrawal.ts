// Withdrawal of what a daemon has announced and nobody takes away any more, as
// where it was killed together with its guard.
import type { AnnounceOptions } from "../config/announce.ts";
import { reasonOf } from "../log/reason.ts";
import { formatAddress } from "../net/address.ts";
import { formatPrefix, type Prefix } from "../net/prefix.ts";
import {
  claimAnycast,
  claimScript,
  type ClaimSurroundings,
} from "./anycast_claim.ts";
import type { AnycastHandle } from "./anycast_addresses.ts";

interface WithdrawalSurroundings
  extends Pick<ClaimSurroundings, "claimName" | "users"> {
  /** Also where there is none: it may have gone with the daemon. */
  readonly openDevice: (name: string) => Pick<
    AnycastHandle,
    "remove" | "takeInNoMore"
  >;
  /** @throws if it does not do its duty */
  readonly runScript: (path: string) => Promise<void>;
  readonly say: (text: string) => void;
  readonly fault: (text: string) => void;
}

/**
 * Each address by itself, and then the script, as the daemon does it. What
 * another daemon of this host announces is left alone: a script, too, where that
 * is all.
 * @returns false after a fault, which is said
 */
export async function withdrawAll(
  announce: AnnounceOptions,
  name: string,
  surroundings: WithdrawalSurroundings,
): Promise<boolean> {
  const { claimName, fault, runScript, users } = surroundings;
  // Until the end: a daemon that starts meanwhile would be told to withdraw.
  using claims = new DisposableStack();
  const attempts = new Attempts(fault);
  const claimed: ClaimSurroundings = {
    ...{ claimName, users, verb: "withdraw" },
    logger: { warning: fault },
  };
  const { addresses, script } = announce;
  const free = addresses.filter(({ address }) =>
    attempts.isDone(() =>
      claims.use(claimAnycast(formatAddress(address), claimed))
    )
  );
  takeAway(free, announce.device, surroundings, attempts);
  const isOthers = addresses.length > 0 && free.length === 0;
  if (script === undefined || isOthers) return !attempts.haveFailed;
  if (!attempts.isDone(() => claims.use(claimScript(name, claimed)))) {
    return false;
  }
  try {
    await runScript(script);
  } catch (error) {
    attempts.failed(error);
  }
  return !attempts.haveFailed;
}

function takeAway(
  prefixes: readonly Prefix[],
  name: string | undefined,
  { openDevice, say }: WithdrawalSurroundings,
  attempts: Attempts,
): void {
  if (name === undefined || prefixes.length === 0) return;
  attempts.isDone(() => {
    const device = openDevice(name);
    for (const prefix of prefixes) {
      attempts.isDone(() => {
        const { address: { bytes }, length } = prefix;
        const wasThere = device.remove({ bytes, length });
        device.takeInNoMore({ bytes, length });
        const what = wasThere ? "is taken away from" : "is not on";
        say(`${formatPrefix(prefix)} ${what} ${name}`);
      });
    }
  });
}

/** One that fails is said, and no reason to leave the others. */
class Attempts {
  readonly #fault: (text: string) => void;
  #haveFailed = false;

  constructor(fault: (text: string) => void) {
    this.#fault = fault;
  }

  get haveFailed(): boolean {
    return this.#haveFailed;
  }

  isDone(attempt: () => unknown): boolean {
    try {
      attempt();
      return true;
    } catch (error) {
      this.failed(error);
      return false;
    }
  }

  failed(error: unknown): void {
    this.#haveFailed = true;
    this.#fault(reasonOf(error));
  }
}
