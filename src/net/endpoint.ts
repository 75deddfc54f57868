/**
 * Endpoints: where a UDP datagram comes from or goes to.
 *
 * @module
 */
import type { IpAddress } from "./address.ts";

/** An address and a port. */
export interface Endpoint {
  readonly address: IpAddress;
  /** 0 to 65535. */
  readonly port: number;
}
