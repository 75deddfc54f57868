import { internetSum } from "../../lab/packets.ts";

/**
 * What becomes of an IP packet whose MSS is lowered to `most`: field by field,
 * with the checksum summed anew. The same packet if there is nothing to lower.
 */
export function withLowerMss(packet: Uint8Array, most: number): Uint8Array {
  const found = tcpOf(packet);
  if (found === undefined || (found.tcp[13] ?? 0) % 4 < 2) return packet;
  const { start, tcp } = found;
  const places = mssPlaces(tcp).filter((at) => u16(tcp, at) > most);
  if (places.length === 0) return packet;
  const changed = tcp.slice();
  for (const at of places) changed.set([most >> 8, most & 255], at);
  const checksum = u16(tcp, 16);
  changed.set([0, 0], 16);
  const before = tcp.slice();
  before.set([0, 0], 16);
  // A wrong checksum stays as wrong as it was (RFC 1624): the difference of
  // the sums is taken away, modulo 2^16 - 1.
  const grown = internetSum(changed) - internetSum(before);
  const sum = ((checksum - grown) % 0xffff + 0xffff) % 0xffff;
  changed.set([sum >> 8, sum & 255], 16);
  const result = packet.slice();
  result.set(changed, start);
  return result;
}

function tcpOf(
  packet: Uint8Array,
): { readonly start: number; readonly tcp: Uint8Array } | undefined {
  const start = tcpStart(packet);
  if (start === undefined) return undefined;
  const version = (packet[0] ?? 0) >> 4;
  const end = version === 4 ? u16(packet, 2) : 40 + u16(packet, 4);
  if (end > packet.length || start + 20 > packet.length) return undefined;
  const size = ((packet[start + 12] ?? 0) >> 4) * 4;
  if (size < 20 || start + size > end) return undefined;
  return { start, tcp: packet.slice(start, start + size) };
}

function tcpStart(packet: Uint8Array): number | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (packet.length < 40) return undefined;
  if (version === 4) {
    const size = ((packet[0] ?? 0) & 15) * 4;
    const isFirst = u16(packet, 6) % 0x2000 === 0;
    return size >= 20 && packet[9] === 6 && isFirst ? size : undefined;
  }
  if (version !== 6) return undefined;
  let next = packet[6];
  let at = 40;
  for (let headers = 0; next !== 6; headers++) {
    if (headers === 8 || at + 8 > packet.length) return undefined;
    const isFragment = next === 44;
    if (isFragment && u16(packet, at + 2) >> 3 !== 0) return undefined;
    if (!isFragment && ![0, 43, 60].includes(next ?? -1)) return undefined;
    next = packet[at];
    at += isFragment ? 8 : ((packet[at + 1] ?? 0) + 1) * 8;
  }
  return at;
}

/** Where the values of MSS options are, up to the first that makes no sense. */
function mssPlaces(tcp: Uint8Array): number[] {
  const places: number[] = [];
  let at = 20;
  while (at < tcp.length && tcp[at] !== 0) {
    if (tcp[at] === 1) {
      at++;
      continue;
    }
    const size = tcp[at + 1] ?? 0;
    if (size < 2 || at + size > tcp.length) break;
    if (tcp[at] === 2 && size === 4) places.push(at + 2);
    at += size;
  }
  return places;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
