// Withdrawal of what a daemon has announced and nobody takes away any more, as
// where it was killed together with its guard.
import type { AnnounceOptions } from "../config/announce.ts";
import { formatAddress } from "../net/address.ts";
import { formatPrefix } from "../net/prefix.ts";
import { claimAnycast, type ClaimSurroundings } from "./anycast_claim.ts";
import type { AnycastHandle } from "./anycast_addresses.ts";

interface WithdrawalSurroundings extends Omit<ClaimSurroundings, "verb"> {
  /** Also where there is none: it may have gone with the daemon. */
  readonly openDevice: (name: string) => Pick<
    AnycastHandle,
    "remove" | "takeInNoMore"
  >;
  readonly say: (text: string) => void;
}

/**
 * @throws if a daemon of this host announces one of them, which is left alone, or
 * the kernel refuses
 */
export function withdrawAddresses(
  { addresses, device: name }: AnnounceOptions,
  { openDevice, say, ...surroundings }: WithdrawalSurroundings,
): void {
  using cleanup = new DisposableStack();
  for (const { address } of addresses) {
    const text = formatAddress(address);
    const claim = claimAnycast(text, { ...surroundings, verb: "withdraw" });
    if (claim !== undefined) cleanup.use(claim);
  }
  if (name === undefined) return;
  const device = openDevice(name);
  for (const prefix of addresses) {
    const { address: { bytes }, length } = prefix;
    const wasThere = device.remove({ bytes, length });
    device.takeInNoMore({ bytes, length });
    const what = wasThere ? "is taken away from" : "is not on";
    say(`${formatPrefix(prefix)} ${what} ${name}`);
  }
}
