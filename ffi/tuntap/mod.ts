/**
 * TUN and TAP devices of Linux: packets of the kernel, in TypeScript.
 *
 * A device is opened, given addresses, read from, written to and closed, all
 * through the C library: `--allow-ffi` is the only permission needed, and no
 * other program is run. The process needs CAP_NET_ADMIN, except for a
 * persistent device that its owner attaches to. `examples/answer_pings.ts` is
 * a whole program.
 *
 * @example Print the size of every packet that the kernel sends
 * ```ts ignore
 * import { openTunTap } from "@anytun/anytun/tuntap";
 *
 * using device = openTunTap({ name: "tun%d" });
 * device.configure({ addresses: ["192.0.2.1/24"], mtu: 1400, up: true });
 * const packet = new Uint8Array(65536);
 * while (await device.readable()) {
 *   for (let size; (size = device.read(packet)) > 0;) {
 *     console.log(`${device.name}: ${size} bytes`);
 *   }
 * }
 * ```
 *
 * @module
 */

import { openLibc } from "../libc.ts";
import type { TunTap, TunTapOptions } from "./types.ts";
import { openDevice } from "./open_device.ts";

export type {
  DeviceSettings,
  DeviceType,
  TunTap,
  TunTapOptions,
} from "./types.ts";
export { SystemError } from "../errno.ts";
export { TunTapError, type TunTapErrorCode } from "./errors.ts";

/**
 * Opens a TUN or TAP device.
 *
 * @param options Which device; left out, a new `tun` device.
 * @throws {TunTapError} When it cannot be had; `code` says why.
 *
 * @example Which device did the kernel choose?
 * ```ts
 * import { openTunTap, TunTapError } from "@anytun/anytun/tuntap";
 *
 * try {
 *   using device = openTunTap({ type: "tap" });
 *   console.log(device.name, device.mtu); // tap0 1500
 * } catch (error) {
 *   if (!(error instanceof TunTapError)) throw error;
 *   console.error(error.code, error.message);
 * }
 * ```
 */
export function openTunTap(options: TunTapOptions = {}): TunTap {
  const libc = openLibc();
  try {
    return openDevice(libc, options, () => libc.close());
  } catch (error) {
    libc.close();
    throw error;
  }
}
