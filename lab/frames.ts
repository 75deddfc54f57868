/** Ethernet frames with datagrams of UDP over IPv4 (RFC 894, 791, 768). */
import { internetSum } from "./packets.ts";

const ETHERNET = 14, IPV4 = 20, UDP = 8;

/** Bytes before the payload. */
export const HEADER_BYTES = ETHERNET + IPV4 + UDP;

/** Where a datagram comes from, or goes to. */
export interface Station {
  /** As hexadecimal bytes with colons between them. */
  readonly mac: string;
  readonly address: string;
  readonly port: number;
}

/** A datagram as it was heard. */
interface Heard {
  readonly from: string;
  readonly to: string;
  /** Lies in the frame. */
  readonly payload: Uint8Array;
}

/** The datagram in a frame; undefined where it holds something else. */
export function payloadOf(frame: Uint8Array): Heard | undefined {
  if (frame.length < HEADER_BYTES) return undefined;
  if (frame[12] !== 0x08 || frame[13] !== 0 || frame[23] !== 17) return;
  const { buffer, byteOffset } = frame;
  const view = new DataView(buffer, byteOffset, frame.length);
  const length = view.getUint16(ETHERNET + IPV4 + 4) - UDP;
  return {
    from: frame.subarray(26, 30).join("."),
    to: frame.subarray(30, 34).join("."),
    payload: frame.subarray(HEADER_BYTES, HEADER_BYTES + length),
  };
}

/**
 * Writes all headers of a frame. The checksum of UDP is left out, as RFC 768
 * has it.
 *
 * @returns The frame, which lies in `frame`.
 */
export function address(
  frame: Uint8Array<ArrayBuffer>,
  from: Station,
  to: Station,
  payloadBytes: number,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(frame.buffer, frame.byteOffset);
  frame.set([...bytesOf(to.mac, ":", 16), ...bytesOf(from.mac, ":", 16)]);
  view.setUint16(12, 0x0800);
  const ip = frame.subarray(ETHERNET, ETHERNET + IPV4).fill(0);
  ip.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17]);
  view.setUint16(ETHERNET + 2, IPV4 + UDP + payloadBytes);
  ip.set(
    [...bytesOf(from.address, ".", 10), ...bytesOf(to.address, ".", 10)],
    12,
  );
  view.setUint16(ETHERNET + 10, ~internetSum(ip) & 0xffff);
  const at = ETHERNET + IPV4;
  view.setUint16(at, from.port);
  view.setUint16(at + 2, to.port);
  view.setUint16(at + 4, UDP + payloadBytes);
  view.setUint16(at + 6, 0);
  return frame.subarray(0, HEADER_BYTES + payloadBytes);
}

/** Takes the checksum of UDP out of a frame: then nobody looks at it. */
export function withoutChecksum(frame: Uint8Array): void {
  frame.fill(0, HEADER_BYTES - 2, HEADER_BYTES);
}

function bytesOf(text: string, separator: string, base: number): number[] {
  return text.split(separator).map((part) => parseInt(part, base));
}
