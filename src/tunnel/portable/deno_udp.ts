// UDP sockets of the portable plane, on `Deno.listenDatagram`.
import {
  ANY_IPV4,
  ANY_IPV6,
  formatAddress,
  type IpAddress,
  parseAddress,
  unmapped,
} from "../../net/address.ts";
import type { Endpoint } from "../../net/endpoint.ts";
import { codeOf, reasonOf } from "../../log/reason.ts";
import type { FamilyChoice } from "../../net/resolver.ts";
import { BindError } from "../bind_error.ts";
import type { DatagramSocket, Received } from "./edges.ts";

/** @throws {BindError} if one cannot be bound; none stays open then */
export function bindUdp(
  addresses: readonly IpAddress[],
  port: number,
): readonly DenoUdpSocket[] {
  using opened = new DisposableStack();
  let same = port;
  const sockets = addresses.map((address) => {
    const socket = bind(unmapped(address), same);
    opened.defer(() => socket.close());
    same = socket.port;
    return socket;
  });
  opened.move();
  return sockets;
}

/**
 * Deno has no switch for IPV6_V6ONLY: one socket on `[::]` serves both
 * families. Where the system has no IPv6 it is `0.0.0.0` instead.
 */
export function bindUdpToAll(
  family: FamilyChoice,
  port: number,
): DenoUdpSocket {
  if (family === "4") return bind(ANY_IPV4, port);
  if (family === "6") return bind(ANY_IPV6, port);
  try {
    return bind(ANY_IPV6, port, "both families");
  } catch (error) {
    if (error instanceof BindError && error.code === "EADDRINUSE") throw error;
    return bind(ANY_IPV4, port);
  }
}

function bind(
  address: IpAddress,
  port: number,
  serves: "its own family" | "both families" = "its own family",
): DenoUdpSocket {
  const hostname = formatAddress(address);
  try {
    if (Deno.listenDatagram === undefined) {
      throw new Error(
        "the portable data plane needs --unstable-net, and the native one " +
          "--allow-read",
      );
    }
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    return new DenoUdpSocket(socket, address, serves === "both families");
  } catch (error) {
    throw new BindError({ address, port }, error);
  }
}

export class DenoUdpSocket implements DatagramSocket {
  readonly port: number;
  readonly #socket: Deno.DatagramConn;
  readonly #address: IpAddress;
  readonly #dualStack: boolean;
  #open = true;
  // Ends the wait of a datagram that is being sent.
  #giveUp = (): void => {};
  // Datagrams come in trains from one peer: spares most of the parsing.
  #lastText = "";
  #lastAddress: IpAddress | undefined;

  /** @param dualStack Whether it serves all IPv4 addresses, too */
  constructor(
    socket: Deno.DatagramConn,
    address: IpAddress,
    dualStack: boolean,
  ) {
    this.port = socket.addr.transport === "udp" ? socket.addr.port : 0;
    this.#socket = socket;
    this.#address = address;
    this.#dualStack = dualStack;
  }

  get bound(): readonly Endpoint[] {
    const { port } = this;
    const own = { address: this.#address, port };
    return this.#dualStack ? [{ address: ANY_IPV4, port }, own] : [own];
  }

  reaches(family: 4 | 6): boolean {
    return this.#dualStack || family === this.#address.family;
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
  send(
    datagram: Uint8Array<ArrayBuffer>,
    to: Endpoint,
  ): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#giveUp = () => resolve("ECANCELED");
    void this.#send(datagram, to).then(resolve);
    return promise;
  }

  async #send(
    datagram: Uint8Array<ArrayBuffer>,
    to: Endpoint,
  ): Promise<string | undefined> {
    try {
      const sent = await this.#socket.send(datagram, {
        transport: "udp",
        hostname: formatAddress(to.address),
        port: to.port,
      });
      return sent === datagram.length ? undefined : "EMSGSIZE";
    } catch (error) {
      // As in the originals, what the network refuses is only lost
      // (SATP section 5); the caller counts it.
      return codeOf(error) ?? reasonOf(error);
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
      const address = parseAddress(text);
      this.#lastAddress = address && unmapped(address);
    }
    return this.#lastAddress;
  }
}
