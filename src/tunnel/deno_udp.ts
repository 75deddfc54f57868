/**
 * UDP sockets of the portable plane, on `Deno.listenDatagram`.
 *
 * @module
 */
import { formatAddress, type IpAddress, parseAddress } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { DatagramSocket, Received } from "./seams.ts";

const ANY_IPV4: IpAddress = { family: 4, bytes: new Uint8Array(4) };
const ANY_IPV6: IpAddress = { family: 6, bytes: new Uint8Array(16) };

/**
 * Binds one socket for each address.
 *
 * @throws if one of them cannot be bound; none stays open then
 */
export function bindUdp(
  addresses: readonly IpAddress[],
  port: number,
): DatagramSocket[] {
  using opened = new DisposableStack();
  const sockets = addresses.map((address) =>
    opened.adopt(bind(address, port, false), (socket) => socket.close())
  );
  opened.move();
  return sockets;
}

/**
 * Binds every local address. Deno has no switch for IPV6_V6ONLY, so that one
 * socket on `[::]` serves both families; where the system has no IPv6 it is
 * `0.0.0.0` instead.
 *
 * @throws if the port is taken
 */
export function bindUdpToAll(
  family: FamilyChoice,
  port: number,
): DatagramSocket[] {
  if (family === "4") return [bind(ANY_IPV4, port, false)];
  if (family === "6") return [bind(ANY_IPV6, port, false)];
  try {
    return [bind(ANY_IPV6, port, true)];
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return [bind(ANY_IPV4, port, false)];
  }
}

function bind(
  address: IpAddress,
  port: number,
  dualStack: boolean,
): DenoUdpSocket {
  const hostname = formatAddress(address);
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  return new DenoUdpSocket(socket, address.family, dualStack);
}

class DenoUdpSocket implements DatagramSocket {
  readonly #socket: Deno.DatagramConn;
  readonly #family: 4 | 6;
  readonly #dualStack: boolean;
  #open = true;
  // Ends the wait of a datagram that is being sent.
  #giveUp = (): void => {};
  // Datagrams come in trains from one peer: spares most of the parsing.
  #lastText = "";
  #lastAddress: IpAddress | undefined;

  constructor(socket: Deno.DatagramConn, family: 4 | 6, dualStack: boolean) {
    this.#socket = socket;
    this.#family = family;
    this.#dualStack = dualStack;
  }

  reaches(family: 4 | 6): boolean {
    return this.#dualStack || family === this.#family;
  }

  async receive(
    into: Uint8Array<ArrayBuffer>,
  ): Promise<Received | undefined> {
    while (this.#open) {
      try {
        const [data, from] = await this.#socket.receive(into);
        const address = from.transport === "udp"
          ? this.#parse(from.hostname)
          : undefined;
        if (address === undefined || !this.reaches(address.family)) continue;
        const port = from.transport === "udp" ? from.port : 0;
        return { size: data.length, from: { address, port } };
      } catch (error) {
        if (this.#open) throw error;
      }
    }
    return undefined;
  }

  // A full uplink may take for ever, and Deno goes on waiting after close().
  send(datagram: Uint8Array<ArrayBuffer>, to: Endpoint): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#giveUp = () => resolve(false);
    void this.#send(datagram, to).then(resolve);
    return promise;
  }

  async #send(
    datagram: Uint8Array<ArrayBuffer>,
    to: Endpoint,
  ): Promise<boolean> {
    try {
      const sent = await this.#socket.send(datagram, {
        transport: "udp",
        hostname: formatAddress(to.address),
        port: to.port,
      });
      return sent === datagram.length;
    } catch {
      // As in the originals, what the network refuses is only lost
      // (SATP section 5); the caller counts it.
      return false;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
    this.#giveUp();
  }

  #parse(text: string): IpAddress | undefined {
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#lastAddress = parseAddress(text.replace(/^::ffff:(?=\d+\.)/, ""));
    }
    return this.#lastAddress;
  }
}
