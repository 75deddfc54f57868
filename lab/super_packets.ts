/**
 * Super-packets as a device with IFF_VNET_HDR has them (Virtual I/O Device
 * specification 1.2, section 5.1.6), made of a packet and taken apart again:
 * slowly, allocating, straight from the RFCs.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  checksumOffset,
  concat,
  CWR,
  FIN,
  internetSum,
  layoutOf,
  pseudoHeader,
  PSH,
  TCP,
  UDP,
  writeNetworkChecksum,
  writeTransportChecksum,
} from "./packets.ts";

/** A packet behind a virtio header that asks for nothing. */
export function plain(packet: Uint8Array): Uint8Array {
  return concat(new Uint8Array(10), packet);
}

/**
 * A packet of TCP or UDP whose checksum is still to be finished.
 *
 * @param packet a whole one
 * @param gsoType of the virtio header: 0 for no segmentation
 * @param gsoSize of the virtio header
 */
export function unfinished(
  packet: Uint8Array,
  gsoType = 0,
  gsoSize = 0,
): Uint8Array {
  const { transport, protocol, payload } = layoutOf(packet);
  const body = packet.slice();
  const sum = internetSum(pseudoHeader(packet));
  body.set(
    [sum >> 8, sum & 255],
    transport + checksumOffset(protocol),
  );
  const header = new Uint8Array(10);
  const view = new DataView(header.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, gsoType);
  view.setUint16(2, payload, true);
  view.setUint16(4, gsoSize, true);
  view.setUint16(6, transport, true);
  view.setUint16(8, checksumOffset(protocol), true);
  return concat(header, body);
}

/** A packet of TCP or UDP as a super-packet with segments of `gsoSize`. */
export function superPacket(packet: Uint8Array, gsoSize: number): Uint8Array {
  const { version, protocol } = layoutOf(packet);
  const tcpType = version === 6 ? 4 : 1;
  return unfinished(packet, protocol === TCP ? tcpType : 5, gsoSize);
}

/** Fails if the headers of a super-packet do not fit it. */
export function assertSound(bytes: Uint8Array): void {
  const packet = bytes.slice(10);
  const { network, version, protocol, transport, payload } = layoutOf(packet);
  const view = new DataView(packet.buffer);
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  const size = packet.length - network;
  if (version === 6) {
    assert.equal(view.getUint16(network + 4), size - 40);
  } else {
    assert.equal(view.getUint16(network + 2), size);
    assert.equal(internetSum(packet.slice(network, transport)), 0xffff);
  }
  if (protocol === UDP) {
    assert.equal(view.getUint16(transport + 4), packet.length - transport);
  }
  const sum = internetSum(pseudoHeader(packet));
  assert.equal(view.getUint16(transport + checksumOffset(protocol)), sum);
  assert.equal(header.getUint8(0), 1);
  assert.equal(header.getUint16(2, true), payload);
  assert.equal(header.getUint16(6, true), transport);
  assert.equal(header.getUint16(8, true), checksumOffset(protocol));
}

/** The packets that a virtio header and what follows it stand for. */
export function segmentsOf(bytes: Uint8Array): Uint8Array[] {
  const header = new DataView(bytes.buffer, bytes.byteOffset, 10);
  const packet = bytes.slice(10);
  if (header.getUint8(1) !== 0) {
    return split(packet, header.getUint16(4, true));
  }
  if (header.getUint8(0) === 1) writeTransportChecksum(packet);
  return [packet];
}

function split(packet: Uint8Array, gsoSize: number): Uint8Array[] {
  const { payload } = layoutOf(packet);
  const headers = packet.subarray(0, payload);
  const segments: Uint8Array[] = [];
  for (let at = payload; at < packet.length; at += gsoSize) {
    const segment = concat(headers, packet.subarray(at, at + gsoSize));
    const last = at + gsoSize >= packet.length;
    writeNetwork(segment, segments.length);
    writeTransport(segment, at - payload, last);
    segments.push(segment);
  }
  return segments;
}

function writeNetwork(segment: Uint8Array, index: number): void {
  const { network, version } = layoutOf(segment);
  const view = new DataView(segment.buffer);
  const size = segment.length - network;
  if (version === 6) {
    view.setUint16(network + 4, size - 40);
  } else {
    view.setUint16(network + 2, size);
    view.setUint16(network + 4, view.getUint16(network + 4) + index);
    writeNetworkChecksum(segment);
  }
}

function writeTransport(
  segment: Uint8Array,
  offset: number,
  last: boolean,
): void {
  const { transport, protocol } = layoutOf(segment);
  const view = new DataView(segment.buffer);
  if (protocol === TCP) {
    let flags = view.getUint8(transport + 13);
    if (offset > 0) flags &= ~CWR;
    if (!last) flags &= ~(FIN | PSH);
    view.setUint8(transport + 13, flags);
    view.setUint32(transport + 4, view.getUint32(transport + 4) + offset);
  } else {
    view.setUint16(transport + 4, segment.length - transport);
  }
  writeTransportChecksum(segment);
}
