// Removal of anycast addresses, each by itself: one that the kernel keeps is no
// reason to leave the others.
import type {
  AnycastAddress,
  AnycastDevice,
} from "../../ffi/tuntap/anycast_device.ts";
import { reasonOf } from "../log/reason.ts";

/** @returns Why one of them stays, or undefined if none does */
export function removeAll(
  device: Pick<AnycastDevice, "remove">,
  addresses: readonly AnycastAddress[],
): string | undefined {
  let fault: string | undefined;
  for (const address of addresses) {
    try {
      device.remove(address);
    } catch (error) {
      fault ??= reasonOf(error);
    }
  }
  return fault;
}
