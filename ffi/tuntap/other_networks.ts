// Networks that a host is in by its other devices: rtnetlink(7), RTM_GETADDR.

import { AF } from "../flags.ts";
import { attributeOf, IFA_ADDRESS } from "./rtnetlink.ts";

// struct ifaddrmsg { u8 family, prefixlen, flags, scope; u32 index; }
const BODY_SIZE = 8;
const LENGTH_AT = 1;
const INDEX_AT = 4;

export interface OtherNetwork {
  /** 4 or 16 bytes in network order; bits behind the length are kept. */
  readonly address: Uint8Array;
  readonly length: number;
}

/** What asks for all addresses of a family. */
export function addressesBody(family: number): Uint8Array {
  const body = new Uint8Array(BODY_SIZE);
  body[0] = family;
  return body;
}

/** An address that this host has at a device. */
export interface HostAddress extends OtherNetwork {
  /** Of the device. */
  readonly index: number;
}

/** @param body Of a message that tells of an address. */
export function readHostAddress(body: Uint8Array): HostAddress | undefined {
  if (body.length < BODY_SIZE) return undefined;
  const size = body[0] === AF.INET ? 4 : body[0] === AF.INET6 ? 16 : 0;
  const length = body[LENGTH_AT] ?? 0;
  if (size === 0 || length > size * 8) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const index = view.getUint32(INDEX_AT, true);
  // Of a link with two ends it is the other one's.
  const address = attributeOf(body.subarray(BODY_SIZE), IFA_ADDRESS)?.slice();
  return address?.length === size ? { address, length, index } : undefined;
}

/** @param index Of the device whose own networks do not count. */
export function readNetwork(
  body: Uint8Array,
  index: number,
): OtherNetwork | undefined {
  const found = readHostAddress(body);
  if (found === undefined || found.index === index) return undefined;
  return { address: found.address, length: found.length };
}
