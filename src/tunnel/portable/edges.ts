/**
 * What the portable plane asks of its two edges. The real ones are a TUN/TAP
 * device and UDP sockets; tests bring queues.
 *
 * @module
 */
import type { Endpoint } from "../../net/endpoint.ts";

/** Where plain packets come from and go to. */
export interface PacketDevice {
  /**
   * Reads one packet without waiting.
   *
   * @returns Its bytes, or 0 if there is none now
   * @throws if the device is gone
   */
  read(into: Uint8Array<ArrayBuffer>): number;
  /**
   * Writes exactly this packet.
   *
   * @returns false if the kernel does not take it
   * @throws if the device is gone
   */
  write(packet: Uint8Array<ArrayBuffer>): boolean;
  /** Resolves when there may be a packet; false once the device is closed. */
  readable(): Promise<boolean>;
}

/** A datagram that lies where the receiver asked for it. */
export interface Received {
  readonly size: number;
  readonly from: Endpoint;
}

/** Where datagrams come from and go to. */
export interface DatagramSocket {
  /** Whether it can send to addresses of this family. */
  reaches(family: 4 | 6): boolean;
  /**
   * Waits for a datagram; what is longer than `into` is cut.
   *
   * @returns undefined once the socket is closed
   */
  receive(into: Uint8Array<ArrayBuffer>): Promise<Received | undefined>;
  /**
   * Waits while the socket is full; one datagram at a time.
   *
   * @returns false if the system did not send it, or the socket was closed
   */
  send(datagram: Uint8Array<ArrayBuffer>, to: Endpoint): Promise<boolean>;
  close(): void;
}
