// Routes: which destinations belong to which connection (SATP section 8).

/** Host bits are kept and ignored. */
export interface IpNetwork {
  readonly family: 4 | 6;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
}

/** Carried along, never looked up. */
export interface EthernetNetwork {
  readonly family: "ethernet";
  /** 0 to 2^64 - 1. */
  readonly value: bigint;
}

export interface Route {
  readonly network: IpNetwork | EthernetNetwork;
  /** 0 to 255; more than the bits of the address count as all of them. */
  readonly prefixLength: number;
  readonly mux: number;
}
