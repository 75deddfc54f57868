// TCP of Deno. Needs `--allow-net`.
import { formatAddress, parseAddress, unmapped } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { SyncListener, TcpStream } from "./streams.ts";

/** On `[::]` this serves IPv4 as well: Deno has no switch for IPV6_V6ONLY. */
export function listenTcp(
  { address, port }: Endpoint,
): SyncListener<Endpoint, TcpStream> {
  const hostname = formatAddress(address);
  const listener = Deno.listen({ hostname, port });
  return {
    local: endpointOf(listener.addr),
    isProtected: false,
    accept: async () => new DenoStream(await listener.accept()),
    close: () => listener.close(),
  };
}

export async function connectTcp(
  { address, port }: Endpoint,
  signal: AbortSignal,
): Promise<TcpStream> {
  const hostname = formatAddress(address);
  return new DenoStream(await Deno.connect({ hostname, port, signal }));
}

class DenoStream implements TcpStream {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #connection: Deno.TcpConn;
  #open = true;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.local = endpointOf(connection.localAddr);
    this.remote = endpointOf(connection.remoteAddr);
    // A peer whose host has vanished is noticed by nothing else.
    connection.setKeepAlive(true);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#connection.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#connection.write(bytes);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#connection.close();
  }
}

function endpointOf({ hostname, port }: Deno.NetAddr): Endpoint {
  // A dual-stack socket shows IPv4 peers as mapped addresses.
  const address = parseAddress(hostname);
  if (address === undefined) {
    throw new Error(`Cannot use the address ${hostname} of a TCP socket`);
  }
  return { address: unmapped(address), port };
}
