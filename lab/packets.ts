/**
 * Builds IP packets field by field, plainly, to test what is fast against.
 *
 * @module
 */

/** Protocol numbers. */
export const TCP = 6, UDP = 17;

/** TCP flags. */
export const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64;
/** TCP flag: congestion window reduced. */
export const CWR = 128;

/** The fields of Ethernet and IP headers, with defaults for all. */
export interface IpFields {
  readonly link?: "none" | "ethernet" | "vlan";
  readonly version?: 4 | 6;
  /** Last byte of both addresses. */
  readonly host?: number;
  /** Type of service or traffic class. */
  readonly tos?: number;
  readonly hopLimit?: number;
  /** IPv4 identification. */
  readonly id?: number;
  /** IPv4 flags and fragment offset; default: don't fragment. */
  readonly fragment?: number;
  readonly flowLabel?: number;
  /** IPv4 options, or IPv6 destination options as many bytes (8, 16, ...). */
  readonly optionBytes?: number;
}

/** The fields of a TCP header and payload, with defaults for all. */
export interface TcpFields {
  readonly port?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly urgent?: number;
  /** A multiple of 4 bytes. */
  readonly options?: readonly number[];
  readonly payload?: Uint8Array;
}

/** The fields of a UDP header and payload, with defaults for all. */
export interface UdpFields {
  readonly port?: number;
  readonly payload?: Uint8Array;
}

/** The TCP options of a Linux connection: NOP, NOP, timestamps. */
export function timestamps(value: number): number[] {
  return [1, 1, 8, 10, 0, 0, value >> 8, value & 255, 0, 0, 0, 7];
}

/** Bytes that count up, so that a misplaced one shows. */
export function counting(size: number, from = 0): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (from + i) * 7 + (i >> 8));
}

/** A whole packet of TCP. */
export function tcpPacket(ip: IpFields, tcp: TcpFields): Uint8Array {
  const options = tcp.options ?? [];
  const payload = tcp.payload ?? new Uint8Array();
  const header = new Uint8Array(20 + options.length);
  const view = new DataView(header.buffer);
  view.setUint16(0, tcp.port ?? 40000);
  view.setUint16(2, 5201);
  view.setUint32(4, tcp.sequence ?? 1000);
  view.setUint32(8, tcp.acknowledgement ?? 2000);
  view.setUint8(12, (header.length / 4) << 4);
  view.setUint8(13, tcp.flags ?? ACK);
  view.setUint16(14, tcp.window ?? 501);
  view.setUint16(18, tcp.urgent ?? 0);
  header.set(options, 20);
  return ipPacket(ip, TCP, concat(header, payload));
}

/** A whole packet of UDP. */
export function udpPacket(ip: IpFields, udp: UdpFields): Uint8Array {
  const payload = udp.payload ?? new Uint8Array();
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, udp.port ?? 40000);
  view.setUint16(2, 5201);
  view.setUint16(4, 8 + payload.length);
  return ipPacket(ip, UDP, concat(header, payload));
}

/** A whole packet of any protocol; checksums of TCP and UDP are filled in. */
export function ipPacket(
  ip: IpFields,
  protocol: number,
  body: Uint8Array,
): Uint8Array {
  const packet = concat(
    linkHeader(ip),
    ip.version === 6
      ? ipv6Header(ip, protocol, body.length)
      : ipv4Header(ip, protocol, body.length),
    body,
  );
  if (protocol === TCP || protocol === UDP) writeTransportChecksum(packet);
  return packet;
}

function linkHeader({ link = "none", version = 4 }: IpFields): Uint8Array {
  if (link === "none") return new Uint8Array();
  const type = version === 6 ? [0x86, 0xdd] : [0x08, 0x00];
  const tag = link === "vlan" ? [0x81, 0x00, 0x00, 0x05] : [];
  return Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...tag, ...type);
}

function ipv4Header(ip: IpFields, protocol: number, body: number): Uint8Array {
  const header = new Uint8Array(20 + (ip.optionBytes ?? 0)).fill(1, 20);
  const view = new DataView(header.buffer);
  view.setUint8(0, 0x40 | (header.length / 4));
  view.setUint8(1, ip.tos ?? 0);
  view.setUint16(2, header.length + body);
  view.setUint16(4, ip.id ?? 1);
  view.setUint16(6, ip.fragment ?? 0x4000);
  view.setUint8(8, ip.hopLimit ?? 64);
  view.setUint8(9, protocol);
  header.set([10, 0, 0, ip.host ?? 1, 10, 0, 1, ip.host ?? 1], 12);
  view.setUint16(10, ~internetSum(header) & 0xffff);
  return header;
}

function ipv6Header(ip: IpFields, protocol: number, body: number): Uint8Array {
  const optionBytes = ip.optionBytes ?? 0;
  const header = new Uint8Array(40 + optionBytes);
  const view = new DataView(header.buffer);
  view.setUint32(
    0,
    6 * 2 ** 28 + (ip.tos ?? 0) * 2 ** 20 + (ip.flowLabel ?? 0),
  );
  view.setUint16(4, optionBytes + body);
  view.setUint8(6, optionBytes > 0 ? 60 : protocol);
  view.setUint8(7, ip.hopLimit ?? 64);
  header.set([0xfd, 0, 1], 8);
  header.set([0xfd, 0, 2], 24);
  header[23] = header[39] = ip.host ?? 1;
  if (optionBytes > 0) {
    header.set([protocol, optionBytes / 8 - 1, 1, optionBytes - 4], 40);
  }
  return header;
}

/** Where the headers of a packet of TCP or UDP are. */
export interface Layout {
  readonly network: number;
  readonly version: number;
  readonly protocol: number;
  readonly transport: number;
  readonly payload: number;
}

/** Finds the headers of a packet that is known to be whole. */
export function layoutOf(packet: Uint8Array): Layout {
  const network = linkSize(packet);
  const version = byte(packet, network) >> 4;
  let protocol = byte(packet, network + (version === 6 ? 6 : 9));
  let transport = network +
    (version === 6 ? 40 : (byte(packet, network) & 15) * 4);
  if (version === 6 && protocol === 60) {
    protocol = byte(packet, transport);
    transport += (byte(packet, transport + 1) + 1) * 8;
  }
  const payload = transport +
    (protocol === UDP ? 8 : (byte(packet, transport + 12) >> 4) * 4);
  return { network, version, protocol, transport, payload };
}

/** The size of the Ethernet header made above, known by its first byte. */
function linkSize(packet: Uint8Array): number {
  if (packet[0] !== 2) return 0;
  return packet[12] === 0x81 ? 18 : 14;
}

/** Writes the IPv4 header checksum, if there is one. */
export function writeNetworkChecksum(packet: Uint8Array): void {
  const { network, version } = layoutOf(packet);
  if (version === 6) return;
  const header = packet.subarray(
    network,
    network + (byte(packet, network) & 15) * 4,
  );
  header.fill(0, 10, 12);
  const sum = ~internetSum(header);
  header.set([(sum >> 8) & 255, sum & 255], 10);
}

/** Writes the checksum of TCP (RFC 9293) or UDP (RFC 768). */
export function writeTransportChecksum(packet: Uint8Array): void {
  const { transport, protocol } = layoutOf(packet);
  const at = transport + checksumOffset(protocol);
  packet.fill(0, at, at + 2);
  const body = packet.subarray(transport);
  let checksum = ~internetSum(concat(pseudoHeader(packet), body)) & 0xffff;
  if (checksum === 0 && protocol === UDP) checksum = 0xffff;
  packet.set([checksum >> 8, checksum & 255], at);
}

/** What the checksums of TCP and UDP cover besides them (RFC 8200, 8.1). */
export function pseudoHeader(packet: Uint8Array): Uint8Array {
  const { network, version, protocol, transport } = layoutOf(packet);
  const addresses = version === 6
    ? packet.subarray(network + 8, network + 40)
    : packet.subarray(network + 12, network + 20);
  const length = packet.length - transport;
  return concat(
    addresses,
    Uint8Array.of(length >> 8, length & 255, 0, protocol),
  );
}

/** Where the header of TCP or UDP has its checksum. */
export function checksumOffset(protocol: number): number {
  return protocol === TCP ? 16 : 6;
}

/** RFC 1071, word by word. */
export function internetSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += byte(bytes, i) * 256 +
      (i + 1 < bytes.length ? byte(bytes, i + 1) : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** All parts as one. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A copy with other bytes from a place on. */
export function edited(
  bytes: Uint8Array,
  at: number,
  ...values: number[]
): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

function byte(bytes: Uint8Array, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw new RangeError(`no byte at ${at}`);
  return value;
}
