/**
 * Ethernet headers of a TAP device.
 *
 * @module
 */

import { u16 } from "./fields.ts";

const HEADER_BYTES = 14;
const VLAN_TAG_BYTES = 4;
const TYPE_IPV4 = 0x0800;
const TYPE_VLAN = 0x8100;
const TYPE_IPV6 = 0x86dd;

/**
 * Where the network header of a frame begins, behind one VLAN tag at most.
 *
 * @param memory where the frame is
 * @param at where it begins
 * @param end where it ends; the answer is not behind it
 */
export function ipAt(memory: Uint8Array, at: number, end: number): number {
  const isTagged = u16(memory, at + HEADER_BYTES - 2) === TYPE_VLAN;
  const ip = at + HEADER_BYTES + (isTagged ? VLAN_TAG_BYTES : 0);
  return Math.min(ip, end);
}

/** Whether a frame says that it has IP at that place, and of which version. */
export function saysIp(memory: Uint8Array, ip: number): boolean {
  const type = u16(memory, ip - 2);
  const version = (memory[ip] ?? 0) >>> 4;
  return version === 4 ? type === TYPE_IPV4 : type === TYPE_IPV6;
}
