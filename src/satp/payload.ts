/** Payload types: EtherType numbers in front of each packet (SATP section 1). */
export const PayloadType = {
  IPV4: 0x0800,
  IPV6: 0x86dd,
  ETHERNET: 0x6558,
} as const;

/** One of the three payload types. */
export type PayloadType = typeof PayloadType[keyof typeof PayloadType];

/** What the device carries: IP packets (tun) or Ethernet frames (tap). */
export type DeviceType = "tun" | "tap";

/**
 * The payload type of a packet read from a tun device.
 *
 * @param firstByte Its first byte, which holds the IP version
 * @returns undefined for anything that is not IPv4 or IPv6; such packets are
 * not sent (the originals send the type of the packet before)
 */
export function payloadTypeOf(firstByte: number): PayloadType | undefined {
  const version = firstByte >>> 4;
  if (version === 4) return PayloadType.IPV4;
  if (version === 6) return PayloadType.IPV6;
  return undefined;
}

/** Whether a device of this type takes the payload (SATP section 1). */
export function acceptsPayload(device: DeviceType, type: number): boolean {
  return device === "tap"
    ? type === PayloadType.ETHERNET
    : type === PayloadType.IPV4 || type === PayloadType.IPV6;
}
