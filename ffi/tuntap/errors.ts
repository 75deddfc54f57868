// Faults of a TUN or TAP device, by kind.

import { Errno, SystemError } from "../errno.ts";

/**
 * Why a device could not be had or set up:
 *
 * - `bad-name`: the kernel would not take the name
 * - `bad-setting`: an address or MTU that no device can have
 * - `no-driver`: the kernel has no TUN/TAP driver, or its node is missing
 * - `not-permitted`: CAP_NET_ADMIN or access to /dev/net/tun is missing
 * - `busy`: another program uses the device
 * - `wrong-kind`: the name belongs to a device of another kind
 * - `gone`: the device was closed or removed
 * - `failed`: anything else; `cause` has the error of the system
 */
export type TunTapErrorCode =
  | "bad-name"
  | "bad-setting"
  | "no-driver"
  | "not-permitted"
  | "busy"
  | "wrong-kind"
  | "gone"
  | "failed";

/** A TUN or TAP device that cannot be had, set up or used. */
export class TunTapError extends Error {
  /** Always `TunTapError`. */
  override readonly name = "TunTapError";
  /** What kind of failure this is. */
  readonly code: TunTapErrorCode;

  /**
   * Makes an error with a text for people.
   *
   * @param code What kind of failure this is.
   * @param message What could not be done, why, and what would be right.
   * @param options The error of the system behind it, if there is one.
   */
  constructor(code: TunTapErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * An error of that one packet and not of the device: in tun_get_user()
 * (drivers/net/tun.c) an unknown protocol, a link that is down, lack of memory.
 */
export function isRefusedPacket(errno: number): boolean {
  return errno === Errno.EINVAL || errno === Errno.EIO ||
    errno === Errno.ENOMEM || errno === Errno.ENOBUFS ||
    errno === Errno.EAGAIN;
}

/** @param what Such as `read from tun0`. */
export function lostDevice(
  what: string,
  syscall: string,
  errno: number,
): TunTapError {
  const cause = new SystemError(what, syscall, errno);
  return errno === Errno.EBADFD
    ? new TunTapError("gone", `Cannot ${what}: the device was removed`, {
      cause,
    })
    : new TunTapError("failed", cause.message, { cause });
}
