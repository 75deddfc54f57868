/**
 * struct virtio_net_hdr: what stands before a packet on a device opened with
 * IFF_VNET_HDR (Virtual I/O Device specification 1.2, section 5.1.6). Its
 * fields are little endian, as are all machines that Deno runs on.
 *
 * @module
 */

/** Size of the header in bytes. */
export const VIRTIO_HEADER_SIZE = 10;

/** Flag: the transport checksum holds only the sum of the pseudo-header. */
export const NEEDS_CSUM = 1;

/** gso_type: one packet, nothing to segment. */
export const GSO_NONE = 0;
/** gso_type: TCP over IPv4. */
export const GSO_TCPV4 = 1;
/** gso_type: TCP over IPv6. */
export const GSO_TCPV6 = 4;
/** gso_type: UDP datagrams of one size, the last may be smaller. */
export const GSO_UDP_L4 = 5;
/** Bit of gso_type: the TCP segment has CWR set (RFC 3168). */
export const GSO_ECN = 0x80;

/** csum_offset of TCP: where its header has the checksum. */
export const TCP_CSUM_OFFSET = 16;
/** csum_offset of UDP: where its header has the checksum. */
export const UDP_CSUM_OFFSET = 6;

/** The flags of the header at `at`. */
export function flags(view: DataView, at: number): number {
  return view.getUint8(at);
}

/** The kind of segmentation asked for. */
export function gsoType(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}

/** The transport payload of each segment, in bytes. */
export function gsoSize(view: DataView, at: number): number {
  return view.getUint16(at + 4, true);
}

/** Where the checksummed range begins, in bytes from the packet's start. */
export function csumStart(view: DataView, at: number): number {
  return view.getUint16(at + 6, true);
}

/** Where the checksum is stored, in bytes from csum_start. */
export function csumOffset(view: DataView, at: number): number {
  return view.getUint16(at + 8, true);
}

/** Writes the header of a packet that is complete. */
export function writePlainHeader(view: DataView, at: number): void {
  view.setBigUint64(at, 0n);
  view.setUint16(at + 8, 0);
}

/**
 * Writes the header of a packet that the kernel shall take for many.
 *
 * @param view the packet memory
 * @param at where the header goes
 * @param type gso_type
 * @param headers size of all headers of the packet, in bytes
 * @param size transport payload of each segment, in bytes
 * @param transport size of the headers before the transport's, in bytes
 * @param checksum csum_offset of the transport
 */
export function writeSuperHeader(
  view: DataView,
  at: number,
  type: number,
  headers: number,
  size: number,
  transport: number,
  checksum: number,
): void {
  view.setUint8(at, NEEDS_CSUM);
  view.setUint8(at + 1, type);
  view.setUint16(at + 2, headers, true);
  view.setUint16(at + 4, size, true);
  view.setUint16(at + 6, transport, true);
  view.setUint16(at + 8, checksum, true);
}
