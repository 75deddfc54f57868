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
  return faultOf(addresses, (address) => device.remove(address));
}

/** @returns Why one of them is taken in still, or undefined if none is */
export function takeInNone(
  device: Pick<AnycastDevice, "takeInNoMore">,
  addresses: readonly AnycastAddress[],
): string | undefined {
  return faultOf(addresses, (address) => device.takeInNoMore(address));
}

function faultOf(
  addresses: readonly AnycastAddress[],
  step: (address: AnycastAddress) => unknown,
): string | undefined {
  let fault: string | undefined;
  for (const address of addresses) {
    try {
      step(address);
    } catch (error) {
      fault ??= reasonOf(error);
    }
  }
  return fault;
}
