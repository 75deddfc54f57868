import { concat, internetSum } from "../../lab/packets.ts";

/**
 * The answer to an IP packet that is longer than `mtu`, put together from RFC
 * 792, RFC 1191 and RFC 4443; undefined where there is to be none.
 */
export function tooBig(
  packet: Uint8Array,
  mtu: number,
): Uint8Array | undefined {
  switch ((packet[0] ?? 0) >> 4) {
    case 4:
      return mayAnswerIpv4(packet) ? ipv4(packet, mtu) : undefined;
    case 6:
      return mayAnswerIpv6(packet) ? ipv6(packet, mtu) : undefined;
    default:
      return undefined;
  }
}

function ipv4(packet: Uint8Array, mtu: number): Uint8Array {
  const quoted = packet.subarray(0, 548);
  const icmp = withSum(
    concat(
      Uint8Array.of(3, 4, 0, 0, 0, 0, mtu >> 8, mtu & 255),
      quoted,
    ),
    2,
    0,
  );
  const size = 20 + icmp.length;
  const header = concat(
    Uint8Array.of(0x45, 0xc0, size >> 8, size & 255, 0, 0, 0, 0, 64, 1, 0, 0),
    packet.subarray(16, 20),
    packet.subarray(12, 16),
  );
  return concat(withSum(header, 10, 0), icmp);
}

function ipv6(packet: Uint8Array, mtu: number): Uint8Array {
  const body = concat(
    Uint8Array.of(2, 0, 0, 0, 0, 0, mtu >> 8, mtu & 255),
    packet.subarray(0, 1232),
  );
  const addresses = concat(packet.subarray(24, 40), packet.subarray(8, 24));
  const pseudo = concat(
    addresses,
    Uint8Array.of(0, 0, body.length >> 8, body.length & 255, 0, 0, 0, 58),
  );
  return concat(
    Uint8Array.of(0x60, 0, 0, 0, body.length >> 8, body.length & 255, 58, 64),
    addresses,
    withSum(body, 2, internetSum(pseudo)),
  );
}

function withSum(bytes: Uint8Array, at: number, other: number): Uint8Array {
  const total = internetSum(bytes) + other;
  const sum = ~((total & 0xffff) + (total >> 16));
  const copy = bytes.slice();
  copy.set([sum >> 8 & 255, sum & 255], at);
  return copy;
}

function mayAnswerIpv4(packet: Uint8Array): boolean {
  const [source = 0] = packet.subarray(12);
  const [destination = 0] = packet.subarray(16);
  const size = ((packet[0] ?? 0) & 15) * 4;
  if (size < 20 || packet.length < size + 8) return false;
  const flags = (packet[6] ?? 0) >> 5;
  const offset = ((packet[6] ?? 0) & 31) * 256 + (packet[7] ?? 0);
  if ((flags & 2) === 0 || offset > 0) return false;
  if ([0, 127].includes(source) || source >= 224) return false;
  const isError = packet[9] === 1 &&
    [3, 4, 5, 11, 12].includes(packet[size] ?? 0);
  return destination < 224 && !isError;
}

function mayAnswerIpv6(packet: Uint8Array): boolean {
  const source = packet.subarray(8, 24);
  if (packet.length < 48 || source.every((byte) => byte === 0)) return false;
  if (source[0] === 255 || packet[24] === 255) return false;
  let next = packet[6] ?? 0;
  let at = 40;
  for (let headers = 0; headers <= 8; headers++) {
    const header = packet.subarray(at, at + 8);
    if (header.length < 8) return false;
    if (next === 58) return (header[0] ?? 0) >= 128;
    const [following = 0, size = 0, high = 0, low = 0] = header;
    if (next === 44) {
      if (high > 0 || low >= 8) return false;
      at += 8;
    } else if ([0, 43, 60].includes(next)) at += 8 * (size + 1);
    else return true;
    next = following;
  }
  return false;
}
