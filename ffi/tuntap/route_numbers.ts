// Numbers and layouts of rtnetlink(7), the same on all architectures:
// include/uapi/linux/rtnetlink.h and if_addr.h.

export const RTM = {
  NEWLINK: 16,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
} as const;

/** Attributes of addresses. */
export const IFA = {
  ADDRESS: 1,
  LOCAL: 2,
  BROADCAST: 4,
  CACHEINFO: 6,
} as const;

/** Attributes of routes. */
export const RTA = {
  DST: 1,
  SRC: 2,
  OIF: 4,
  PRIORITY: 6,
  MARK: 16,
} as const;

export const RT_TABLE = { MAIN: 254, LOCAL: 255 } as const;
export const RT_SCOPE = { UNIVERSE: 0, LINK: 253, HOST: 254 } as const;
export const RTN = { UNICAST: 1, LOCAL: 2 } as const;

/** Of our routes: of those that `/etc/iproute2/rt_protos` has no name for. */
export const ROUTE_PROTOCOL = 97;

/** Places in struct ifaddrmsg { u8 family, prefixlen, flags, scope; u32 index; } */
export const ADDRESS = {
  FAMILY: 0,
  LENGTH: 1,
  FLAGS: 2,
  INDEX: 4,
  SIZE: 8,
} as const;

/**
 * Places in struct rtmsg { u8 family, dst_len, src_len, tos, table, protocol,
 * scope, type; u32 flags; }
 */
export const ROUTE = {
  FAMILY: 0,
  LENGTH: 1,
  SOURCE_LENGTH: 2,
  TABLE: 4,
  PROTOCOL: 5,
  SCOPE: 6,
  TYPE: 7,
  SIZE: 12,
} as const;

/** The value of an attribute that is a number of 32 bits. */
export function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
