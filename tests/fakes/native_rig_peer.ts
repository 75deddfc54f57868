/**
 * A host that talks to a plane: a UDP socket on the loopback device.
 *
 * @module
 */
import { type Libc, openLibc } from "../../ffi/libc.ts";
import { Arena } from "../../ffi/memory.ts";
import { SOCKADDR_SIZE, writeSockaddr } from "../../ffi/net/sockaddr.ts";
import type { SocketAddress } from "../../ffi/net/sockaddr.ts";
import { UdpSocket } from "../../ffi/net/udp.ts";
import { UdpReceiver, UdpSender } from "../../ffi/net/udp_batches.ts";
import type { Endpoint } from "../../src/net/endpoint.ts";

const BUFFERS = 16;
const BUFFER_BYTES = 65536;

/** As much as the system allows: whole bursts wait here. */
const SOCKET_BYTES = 4 << 20;

/** A socket of one peer, or of a plane that is told from it. */
export class LoopbackPeer {
  /** Where it is. */
  readonly endpoint: Endpoint;
  /** Of the datagrams received, how many came joined with others. */
  joined = 0;
  readonly #socket: UdpSocket;
  readonly #arena = new Arena((BUFFERS + 2) * BUFFER_BYTES);
  readonly #sender: UdpSender;
  readonly #receiver: UdpReceiver;
  readonly #destination: number;
  readonly #outgoing: number;

  /** @param address To be bound, 4 or 16 bytes */
  constructor(libc: Libc, address: Uint8Array) {
    const arena = this.#arena;
    this.#socket = openOn(libc, address);
    this.#socket.enableGro();
    this.#socket.tellClasses();
    const { port } = this.#socket.local;
    const bytes = Uint8Array.from(address);
    const family = address.length === 4 ? 4 : 6;
    this.endpoint = { address: { family, bytes }, port };
    this.#sender = new UdpSender(libc, arena, { messages: 1, pieces: 1 });
    this.#receiver = new UdpReceiver(libc, arena, {
      at: arena.take(BUFFERS * BUFFER_BYTES),
      stride: BUFFER_BYTES,
      size: BUFFER_BYTES,
      count: BUFFERS,
    });
    this.#receiver.looksForClasses = true;
    this.#destination = arena.take(SOCKADDR_SIZE);
    this.#outgoing = arena.take(BUFFER_BYTES);
  }

  /**
   * Sends one datagram, or several of one size (the last may be shorter) as
   * one message to the kernel.
   */
  send(
    datagrams: readonly Uint8Array[],
    to: SocketAddress,
    trafficClass = 0,
  ): void {
    const arena = this.#arena;
    const sender = this.#sender;
    let end = this.#outgoing;
    for (const datagram of datagrams) {
      arena.bytes.set(datagram, end);
      end += datagram.length;
    }
    writeSockaddr(arena.view, this.#destination, to);
    sender.clear();
    const segment = datagrams.length > 1 ? datagrams[0]?.length ?? 0 : 0;
    sender.begin(this.#destination, segment, undefined, trafficClass);
    if (end > this.#outgoing) sender.add(this.#outgoing, end - this.#outgoing);
    if (sender.send(this.#socket.fd, 0) === 1) return;
    throw new Error(`Cannot send to port ${to.port}: errno ${sender.errno}`);
  }

  /** The datagrams that have come. */
  received(): Uint8Array[] {
    return this.receivedWithClass().map(({ datagram }) => datagram);
  }

  /** The same, with their classes of traffic. */
  receivedWithClass(): { datagram: Uint8Array; trafficClass: number }[] {
    const datagrams: { datagram: Uint8Array; trafficClass: number }[] = [];
    const receiver = this.#receiver;
    for (;;) {
      const messages = receiver.receive(this.#socket.fd);
      if (messages === 0) return datagrams;
      for (let m = 0; m < messages; m++) {
        const end = receiver.at(m) + (receiver.sizes[m] ?? 0);
        const segment = receiver.segmentSizes[m] ?? 0;
        if ((receiver.sizes[m] ?? 0) > segment) {
          this.joined += Math.ceil((receiver.sizes[m] ?? 0) / segment);
        }
        for (let at = receiver.at(m); at < end; at += segment) {
          const size = Math.min(segment, end - at);
          const datagram = this.#arena.slice(at, size).slice();
          const trafficClass = receiver.classes[m] ?? 0;
          datagrams.push({ datagram, trafficClass });
        }
      }
    }
  }

  /** Closes the socket. */
  close(): void {
    this.#socket.close();
  }
}

/** A socket of its own port, with large buffers. */
export function openOn(libc: Libc, address: Uint8Array): UdpSocket {
  const socket = UdpSocket.open(libc, { address, port: 0, scope: 0 });
  socket.resizeBuffers({ send: SOCKET_BYTES, receive: SOCKET_BYTES });
  return socket;
}

/** Why the kernel cannot join datagrams, or null if it can. */
export function whyNoUdpOffload(): string | null {
  const libc = openLibc();
  try {
    const socket = openOn(libc, Uint8Array.of(127, 0, 0, 1));
    const has = socket.supportsGso() && socket.enableGro();
    socket.close();
    return has ? null : "the kernel has no UDP GSO and GRO";
  } finally {
    libc.close();
  }
}
