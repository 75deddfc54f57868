/**
 * Address and prefix length, such as 10.0.0.1/24.
 *
 * @module
 */
import type { IpAddress } from "./address.ts";

/** An address with the number of its leading bits that name the network. */
export interface Prefix {
  /** Host bits are kept: as a device address they are the point of it. */
  readonly address: IpAddress;
  /** 0 to 32 (IPv4) or 128 (IPv6). */
  readonly length: number;
}
