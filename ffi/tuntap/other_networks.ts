// Networks that a host is in by its other devices: rtnetlink(7), RTM_GETADDR.

import { AF } from "../flags.ts";
import { ADDRESS, IFA } from "./route_numbers.ts";
import { attributeOf } from "./rtnetlink.ts";

export interface OtherNetwork {
  /** 4 or 16 bytes in network order; bits behind the length are kept. */
  readonly address: Uint8Array;
  readonly length: number;
}

/** What asks for all addresses of a family. */
export function addressesBody(family: number): Uint8Array {
  const body = new Uint8Array(ADDRESS.SIZE);
  body[ADDRESS.FAMILY] = family;
  return body;
}

/** An address that this host has at a device. */
export interface HostAddress extends OtherNetwork {
  /** Of the device. */
  readonly index: number;
}

/** @param body Of a message that tells of an address. */
export function readHostAddress(body: Uint8Array): HostAddress | undefined {
  if (body.length < ADDRESS.SIZE) return undefined;
  const size = body[ADDRESS.FAMILY] === AF.INET
    ? 4
    : body[ADDRESS.FAMILY] === AF.INET6
    ? 16
    : 0;
  const length = body[ADDRESS.LENGTH] ?? 0;
  if (size === 0 || length > size * 8) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const index = view.getUint32(ADDRESS.INDEX, true);
  // Of a link with two ends it is the other one's.
  const address = attributeOf(body.subarray(ADDRESS.SIZE), IFA.ADDRESS)
    ?.slice();
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
