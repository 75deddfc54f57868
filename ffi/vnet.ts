/**
 * Offloads of a TUN or TAP device with IFF_VNET_HDR: what the kernel may leave
 * to this program, told by a struct virtio_net_hdr before each packet.
 *
 * @module
 */

import { Ioctl } from "./flags.ts";
import type { Libc } from "./libc.ts";
import { TunTapError } from "./tuntap_error.ts";

/** Bytes of struct virtio_net_hdr without the field for merged buffers. */
export const VNET_HEADER_SIZE = 10;

/** What the kernel may leave to this program (include/uapi/linux/if_tun.h). */
export const Offload = {
  /** Transport checksums; all others need this one. */
  CSUM: 0x1,
  /** Segmentation of TCP over IPv4. */
  TSO4: 0x2,
  /** Segmentation of TCP over IPv6. */
  TSO6: 0x4,
  /** Segmentation of TCP with congestion notification. */
  TSO_ECN: 0x8,
  /** Segmentation of UDP over IPv4, since Linux 6.2. */
  USO4: 0x20,
  /** Segmentation of UDP over IPv6, since Linux 6.2. */
  USO6: 0x40,
} as const;

/** What is given up together, the newest first. */
const STEPS = [
  Offload.USO4 | Offload.USO6,
  Offload.TSO4 | Offload.TSO6 | Offload.TSO_ECN,
  Offload.CSUM,
];

/**
 * @param fd A descriptor attached to a device.
 * @param offloads Which, of {@linkcode Offload}.
 * @returns Whether the kernel took them.
 */
export function setOffloads(
  libc: Libc,
  fd: number,
  offloads: number,
): boolean {
  return libc.symbols.ioctlNumber(fd, Ioctl.TUNSETOFFLOAD, offloads) >= 0;
}

/**
 * Sets as many of the offloads as the kernel knows.
 *
 * @param fd A descriptor attached to a device with IFF_VNET_HDR.
 * @param wanted Which, of {@linkcode Offload}.
 * @returns Those that are set.
 */
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
 * Sets the header to {@linkcode VNET_HEADER_SIZE}: a persistent device keeps
 * the size that another program has set.
 *
 * @throws {TunTapError} `failed`, when the kernel refuses.
 */
export function resetHeaderSize(libc: Libc, fd: number): void {
  const size = new Uint8Array(Int32Array.of(VNET_HEADER_SIZE).buffer);
  if (libc.symbols.ioctl(fd, Ioctl.TUNSETVNETHDRSZ, size) >= 0) return;
  const cause = libc.error("set the size of the header", "ioctl");
  throw new TunTapError("failed", cause.message, { cause });
}
