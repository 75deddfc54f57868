// TCP of Deno, to connect by, for what stands beside the daemon: it needs no FFI,
// but `--allow-net`.
import { formatAddress, parseAddress, unmapped } from "../src/net/address.ts";
import type { Endpoint } from "../src/net/endpoint.ts";
import type { TcpStream } from "../src/sync/streams.ts";

export async function connectTcp(
  { address, port }: Endpoint,
  signal: AbortSignal,
): Promise<TcpStream> {
  const hostname = formatAddress(address);
  return new DenoStream(await Deno.connect({ hostname, port, signal }));
}

export class DenoStream implements TcpStream {
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

export function endpointOf({ hostname, port }: Deno.NetAddr): Endpoint {
  // A dual-stack socket shows IPv4 peers as mapped addresses.
  const address = parseAddress(hostname);
  if (address === undefined) {
    throw new Error(`Cannot use the address ${hostname} of a TCP socket`);
  }
  return { address: unmapped(address), port };
}
