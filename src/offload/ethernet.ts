/**
 * Ethernet headers of a TAP device.
 *
 * @module
 */

const HEADER_BYTES = 14;
const VLAN_TAG_BYTES = 4;
const TYPE_VLAN = 0x8100;

/**
 * Where the network header of a frame begins, behind one VLAN tag at most.
 *
 * @param memory where the frame is
 * @param at where it begins
 * @param end where it ends; the answer is not behind it
 */
export function ipAt(memory: Uint8Array, at: number, end: number): number {
  const type = at + HEADER_BYTES - 2;
  const isTagged = ((memory[type] ?? 0) << 8 | (memory[type + 1] ?? 0)) ===
    TYPE_VLAN;
  const ip = at + HEADER_BYTES + (isTagged ? VLAN_TAG_BYTES : 0);
  return Math.min(ip, end);
}
