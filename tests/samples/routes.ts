/**
 * Routes for tests, from text.
 *
 * @module
 */
import { type IpAddress, parseAddress } from "../../src/net/address.ts";
import type { Route } from "../../src/route/route.ts";

/** The address that a text means. */
export function ipAddress(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`Cannot read address ${text}`);
  return address;
}

/** A route from `address/length`, where the length may be up to 255. */
export function routeOf(prefix: string, mux: number): Route {
  const [address = "", length] = prefix.split("/");
  return { network: ipAddress(address), prefixLength: Number(length), mux };
}
