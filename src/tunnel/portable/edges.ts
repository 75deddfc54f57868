// Device and sockets of the portable plane, as it needs them.
import type { Endpoint } from "../../net/endpoint.ts";

export interface PacketDevice {
  /** @returns Bytes of the packet, or 0 if there is none now */
  read(into: Uint8Array<ArrayBuffer>): number;
  /** @returns false if the kernel does not take it */
  write(packet: Uint8Array<ArrayBuffer>): boolean;
  /** Resolves when there may be a packet; false once the device is closed. */
  readable(): Promise<boolean>;
}

export interface Received {
  readonly size: number;
  readonly from: Endpoint;
}

export interface DatagramSocket {
  reaches(family: 4 | 6): boolean;
  /** Cuts what is longer than `into`; undefined once the socket is closed. */
  receive(into: Uint8Array<ArrayBuffer>): Promise<Received | undefined>;
  /**
   * Waits while the socket is full.
   *
   * @returns undefined if it was sent, or why not, such as `EPERM`
   */
  send(
    datagram: Uint8Array<ArrayBuffer>,
    to: Endpoint,
  ): Promise<string | undefined>;
  close(): void;
}
