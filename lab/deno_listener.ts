/** A listener on the TCP of Deno, which needs no C library. */
import { formatAddress } from "../src/net/address.ts";
import type { Endpoint } from "../src/net/endpoint.ts";
import { DenoStream, endpointOf } from "./deno_tcp.ts";
import type { TcpSyncListener } from "../src/sync/streams.ts";

/** Listens at an address, of IPv4 as well for all of IPv6. */
export function listenTcp(
  { address, port }: Endpoint,
): TcpSyncListener {
  const hostname = formatAddress(address);
  const listener = Deno.listen({ hostname, port });
  return {
    local: endpointOf(listener.addr),
    isProtected: false,
    listen() {},
    accept: async () => new DenoStream(await listener.accept()),
    close: () => listener.close(),
  };
}
