/**
 * Packets of bulk transfers, and how many of them become one.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CoalescerOptions } from "../../src/offload/coalesce.ts";
import { hex } from "../fakes/packet_memory.ts";
import {
  counting,
  type IpFields,
  type TcpFields,
  tcpPacket,
  type UdpFields,
  udpPacket,
} from "../../lab/packets.ts";
import { coalesce } from "../fakes/recording_sink.ts";
import { segmentsOf } from "../../lab/super_packets.ts";

/** The payload of each packet in bytes. */
export const SIZE = 1000;

/** The nth packet of a bulk transfer. */
export function tcp(
  n: number,
  tcp: TcpFields = {},
  ip: IpFields = {},
): Uint8Array {
  return tcpPacket({ id: 100 + n, ...ip }, {
    sequence: 5000 + n * SIZE,
    payload: counting(SIZE, n),
    ...tcp,
  });
}

/** The nth datagram of a flow. */
export function udp(
  n: number,
  udp: UdpFields = {},
  ip: IpFields = {},
): Uint8Array {
  const payload = counting(SIZE, n);
  return udpPacket({ id: 100 + n, ...ip }, { payload, ...udp });
}

/** How many packets each write has; all are checked to be those put in. */
export function groups(
  packets: readonly Uint8Array[],
  options: Partial<CoalescerOptions> = {},
): number[] {
  const written = coalesce(packets, options).map(segmentsOf);
  assert.deepEqual(written.flat().map(hex), packets.map(hex));
  return written.map((segments) => segments.length);
}

/** As many packets, or anything else, as said. */
export function range<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
