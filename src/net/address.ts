// IP addresses as values and as text.

export interface IpAddress {
  readonly family: 4 | 6;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  /** Interface name or number of a scoped IPv6 address, without `%`. */
  readonly zone?: string;
}

/** Every IPv4 address of a host, for a socket. */
export const ANY_IPV4: IpAddress = { family: 4, bytes: new Uint8Array(4) };

/** Every IPv6 address of a host, for a socket. */
export const ANY_IPV6: IpAddress = { family: 6, bytes: new Uint8Array(16) };

/** @param bytes 4 or 16 in network order */
export function addressOf(bytes: Uint8Array): IpAddress {
  return { family: bytes.length === 4 ? 4 : 6, bytes };
}

const GROUPS = 8;

/** As long as an interface's name can be (IFNAMSIZ). */
const ZONE = /^[\w.:-]{1,15}$/;

/**
 * Any form of RFC 4291 section 2.2, and `%zone` (RFC 4007 section 11). Leading
 * zeros in IPv4 are refused: some programs read octal (RFC 6943 section 3.1.1).
 */
export function parseAddress(text: string): IpAddress | undefined {
  const percent = text.indexOf("%");
  if (percent < 0) return parseIpv4(text) ?? parseIpv6(text);
  const zone = text.slice(percent + 1);
  if (!ZONE.test(zone)) return undefined;
  const address = parseIpv6(text.slice(0, percent));
  return address && { ...address, zone };
}

/** IPv6 in the form of RFC 5952. */
export function formatAddress(address: IpAddress): string {
  const text = address.family === 4
    ? address.bytes.join(".")
    : formatIpv6(address.bytes);
  return address.zone === undefined ? text : `${text}%${address.zone}`;
}

/**
 * 127.0.0.0/8 (RFC 1122 section 3.2.1.3), also IPv4-mapped, and ::1 (RFC 4291).
 */
export function isLoopback({ family, bytes }: IpAddress): boolean {
  if (family === 4) return bytes[0] === 127;
  const last = bytes.length - 1;
  return bytes.every((byte, i) => byte === (i === last ? 1 : 0)) ||
    isMapped(bytes) && bytes[MAPPED_BYTES] === 127;
}

/**
 * An IPv4-mapped address is one of IPv4, as sockets of both families show it: the
 * sockets of IPv6 alone neither reach it nor hear from it.
 */
export function unmapped(address: IpAddress): IpAddress {
  const { family, bytes } = address;
  if (family === 4 || !isMapped(bytes)) return address;
  return { family: 4, bytes: bytes.slice(MAPPED_BYTES) };
}

const MAPPED_BYTES = 12;

/** RFC 4291 section 2.5.5.2. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, MAPPED_BYTES).every((byte, i) =>
    byte === (i < 10 ? 0 : 0xff)
  );
}

function parseIpv4(text: string): IpAddress | undefined {
  const bytes = ipv4Bytes(text);
  return bytes && { family: 4, bytes: Uint8Array.from(bytes) };
}

function ipv4Bytes(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const isByte = (part: string) =>
    /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255;
  return parts.every(isByte) ? parts.map(Number) : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [left = "", right] = halves;
  const head = parseGroups(left, right === undefined);
  const tail = parseGroups(right ?? "", true);
  if (head === undefined || tail === undefined) return undefined;

  const missing = GROUPS - head.length - tail.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  return {
    family: 6,
    bytes: Uint8Array.from(groups.flatMap((group) => [group >> 8, group])),
  };
}

/** The last group of the address may be IPv4. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const last = atEnd && index === parts.length - 1;
    const [a, b, c, d] = (last ? ipv4Bytes(part) : undefined) ?? [];
    if (
      a === undefined || b === undefined || c === undefined || d === undefined
    ) return undefined;
    groups.push(a << 8 | b, c << 8 | d);
  }
  return groups;
}

function formatIpv6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const groups = Array.from(
    { length: GROUPS },
    (_, index) => view.getUint16(index * 2),
  );
  if (isMapped(bytes)) {
    return `::ffff:${bytes.slice(MAPPED_BYTES).join(".")}`;
  }
  const hex = groups.map((group) => group.toString(16));
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return hex.join(":");
  const head = hex.slice(0, start).join(":");
  return `${head}::${hex.slice(start + length).join(":")}`;
}

/** RFC 5952 section 4.2.3. */
function longestZeroRun(groups: readonly number[]): {
  readonly start: number;
  readonly length: number;
} {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) {
      best = { start, length: index + 1 - start };
    }
  }
  return best;
}
