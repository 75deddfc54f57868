// Offloads of a TUN or TAP device with IFF_VNET_HDR: a struct virtio_net_hdr
// before each packet tells what the kernel left to do.

import { Ioctl } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { TunTapError } from "./errors.ts";

/** Without the field for merged buffers. */
export const VNET_HEADER_SIZE = 10;

/** include/uapi/linux/if_tun.h */
export const Offload = {
  /** Checksums; all others need this one. */
  CSUM: 0x1,
  TSO4: 0x2,
  TSO6: 0x4,
  TSO_ECN: 0x8,
  // Since Linux 6.2.
  USO4: 0x20,
  USO6: 0x40,
} as const;

/** What is given up together, the newest first. */
const STEPS = [
  Offload.USO4 | Offload.USO6,
  Offload.TSO4 | Offload.TSO6 | Offload.TSO_ECN,
  Offload.CSUM,
];

export function setOffloads(
  libc: Libc,
  fd: number,
  offloads: number,
): boolean {
  return libc.symbols.ioctlNumber(fd, Ioctl.TUNSETOFFLOAD, offloads) >= 0;
}

/** @returns As many as the kernel knows. */
export function negotiateOffloads(
  libc: Libc,
  fd: number,
  wanted: number,
): number {
  let offloads = wanted;
  for (const step of STEPS) {
    if (setOffloads(libc, fd, offloads)) return offloads;
    offloads &= ~step;
  }
  setOffloads(libc, fd, 0);
  return 0;
}

/**
 * A persistent device keeps the size that another program has set.
 * @throws {TunTapError} `failed`, when the kernel refuses.
 */
export function resetHeaderSize(libc: Libc, fd: number): void {
  const size = new Uint8Array(Int32Array.of(VNET_HEADER_SIZE).buffer);
  if (libc.symbols.ioctl(fd, Ioctl.TUNSETVNETHDRSZ, size) >= 0) return;
  const cause = libc.error("set the size of the header", "ioctl");
  throw new TunTapError("failed", cause.message, { cause });
}
