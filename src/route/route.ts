/**
 * Routes: which destinations belong to which connection (SATP section 8).
 *
 * @module
 */

/** The address of an IP network; host bits are kept and ignored. */
export interface IpNetwork {
  readonly family: 4 | 6;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
}

/** The address of an Ethernet network: carried along, never looked up. */
export interface EthernetNetwork {
  readonly family: "ethernet";
  /** 0 to 2^64 - 1, as peers write it. */
  readonly value: bigint;
}

/** Which destinations go to which mux. */
export interface Route {
  readonly network: IpNetwork | EthernetNetwork;
  /** 0 to 255; more bits than the address has count as all of them. */
  readonly prefixLength: number;
  /** 0 to 65535. */
  readonly mux: number;
}

/** The address as one number, which orders networks of one family. */
export function networkNumber(network: IpNetwork | EthernetNetwork): bigint {
  if (network.family === "ethernet") return network.value;
  return network.bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
}
