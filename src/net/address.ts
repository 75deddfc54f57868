/**
 * IP addresses as values.
 *
 * @module
 */

/** An IPv4 or IPv6 address. */
export interface IpAddress {
  readonly family: 4 | 6;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  /** Interface name or number of a scoped IPv6 address, without `%`. */
  readonly zone?: string;
}
