// Setup of network devices by rtnetlink(7), framed as in RFC 3549 section 2.3.

import { Errno, SystemError } from "../errno.ts";
import { AF, MSG, NETLINK, NLM_F, NLMSG_HDRLEN, SOCK, SOL } from "../flags.ts";
import type { InterfacePrefix } from "./interface_prefix.ts";
import type { Libc } from "../libc.ts";
import { ADDRESS, IFA, numberBytes, RTM } from "./route_numbers.ts";

// include/uapi/linux/netlink.h
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NETLINK_GET_STRICT_CHK = 12;

// include/uapi/linux/rtnetlink.h, if_link.h
const LINK_BODY_SIZE = 16;
const IFLA_MTU = 4;
const IFF_UP = 0x1;
/** NLA_TYPE_MASK: without the bit that says that there are others inside. */
const TYPE_MASK = 0x7fff;

const REPLY_SIZE = 8192;
/** What the kernel puts into one part of a list at the most. */
const PART_SIZE = 32768;

export interface LinkRequest {
  /** Such as `set the MTU of tun0 to 1400`. */
  readonly what: string;
  /** With its header; the sequence number is still 0. */
  readonly message: Uint8Array<ArrayBuffer>;
}

export function mtuMessage(
  index: number,
  mtu: number,
): Uint8Array<ArrayBuffer> {
  const attributes = [[IFLA_MTU, numberBytes(mtu)]] as const;
  return message(RTM.NEWLINK, 0, linkBody(index, 0, 0), attributes);
}

export function linkStateMessage(
  index: number,
  up: boolean,
): Uint8Array<ArrayBuffer> {
  const body = linkBody(index, up ? IFF_UP : 0, IFF_UP);
  return message(RTM.NEWLINK, 0, body, []);
}

/**
 * An address that is there already stays.
 * @param broadcast Whether the device has a broadcast address (a tap device
 * has), which IPv4 then makes of the address' host bits (RFC 919 section 7).
 */
export function addressMessage(
  index: number,
  prefix: InterfacePrefix,
  broadcast: boolean,
): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(ADDRESS.SIZE);
  body[ADDRESS.FAMILY] = prefix.family;
  body[ADDRESS.LENGTH] = prefix.length;
  new DataView(body.buffer).setUint32(ADDRESS.INDEX, index, true);
  const attributes: Attribute[] = [
    [IFA.LOCAL, prefix.address],
    [IFA.ADDRESS, prefix.address],
  ];
  // A prefix of 31 bits has no broadcast address (RFC 3021 section 2.1).
  if (broadcast && prefix.family === AF.INET && prefix.length < 31) {
    attributes.push([IFA.BROADCAST, broadcastAddress(prefix)]);
  }
  return message(RTM.NEWADDR, NLM_F.CREATE | NLM_F.REPLACE, body, attributes);
}

function broadcastAddress(prefix: InterfacePrefix): Uint8Array<ArrayBuffer> {
  const address = prefix.address.slice();
  const view = new DataView(address.buffer);
  view.setUint32(0, view.getUint32(0) | (0xffffffff >>> prefix.length));
  return address;
}

type Attribute = readonly [type: number, value: Uint8Array];

/** struct ifinfomsg */
function linkBody(index: number, flags: number, change: number): Uint8Array {
  const body = new Uint8Array(LINK_BODY_SIZE);
  const view = new DataView(body.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return body;
}

export function message(
  type: number,
  flags: number,
  body: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array<ArrayBuffer> {
  const size = attributes.reduce(
    (sum, [, value]) => sum + aligned(4 + value.length),
    NLMSG_HDRLEN + body.length,
  );
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F.REQUEST | NLM_F.ACK | flags, true);
  bytes.set(body, NLMSG_HDRLEN);
  let at = NLMSG_HDRLEN + body.length;
  for (const [attribute, value] of attributes) {
    view.setUint16(at, 4 + value.length, true);
    view.setUint16(at + 2, attribute, true);
    bytes.set(value, at + 4);
    at += aligned(4 + value.length);
  }
  return bytes;
}

function aligned(size: number): number {
  return (size + 3) & ~3;
}

export class RouteSocket implements Disposable {
  /** Also good for the ioctls of netdevice(7). */
  readonly fd: number;
  readonly #libc: Libc;
  #sequence = 0;

  /** @param protocol Others are framed alike. */
  constructor(libc: Libc, protocol: number = NETLINK.ROUTE) {
    this.#libc = libc;
    const type = SOCK.RAW | SOCK.CLOEXEC;
    this.fd = libc.symbols.socket(AF.NETLINK, type, protocol);
    if (this.fd < 0) throw libc.error("open a netlink socket", "socket");
  }

  request(request: LinkRequest): void {
    const errno = acknowledged(this.#exchange(request), this.#sequence);
    if (errno === undefined) throw notUnderstood(request.what);
    if (errno !== 0) throw new SystemError(request.what, "netlink", errno);
  }

  /** What the kernel knows of a device, as attributes. */
  link(what: string, index: number): Uint8Array {
    const query = message(RTM.GETLINK, 0, linkBody(index, 0, 0), []);
    const body = this.ask({ what, message: query }, RTM.NEWLINK);
    if (body.length < LINK_BODY_SIZE) throw notUnderstood(what);
    return body.subarray(LINK_BODY_SIZE);
  }

  /**
   * A question with one answer.
   * @param type Of the answer.
   * @returns What stands behind its header.
   */
  ask(request: LinkRequest, type: number): Uint8Array {
    const { what } = request;
    const reply = this.#exchange(request);
    const errno = acknowledged(reply, this.#sequence);
    if (errno !== undefined) throw new SystemError(what, "netlink", errno);
    const view = new DataView(reply.buffer, reply.byteOffset, reply.length);
    const isAnswer = reply.length >= NLMSG_HDRLEN &&
      view.getUint16(4, true) === type &&
      view.getUint32(8, true) === this.#sequence;
    if (!isAnswer) throw notUnderstood(what);
    // Or the next question would find it in place of its answer.
    this.#receive(what, REPLY_SIZE);
    return reply.subarray(NLMSG_HDRLEN, view.getUint32(0, true));
  }

  /** Has the kernel leave out of lists what does not match (Linux 4.20). */
  filterDumps(): void {
    const { setsockopt } = this.#libc.symbols;
    const on = new Uint8Array(Uint32Array.of(1).buffer);
    setsockopt(this.fd, SOL.NETLINK, NETLINK_GET_STRICT_CHK, on, on.length);
  }

  /**
   * A list, which older kernels do not filter.
   * @param type Of the messages that it is made of.
   * @returns What stands behind their headers.
   */
  dump(request: LinkRequest, type: number): Uint8Array[] {
    this.#send(request);
    const bodies: Uint8Array[] = [];
    for (;;) {
      const part = this.#receive(request.what, PART_SIZE);
      const end = readPart(part, this.#sequence, type, bodies);
      if (end === undefined) continue;
      if (end !== 0) throw new SystemError(request.what, "netlink", end);
      return bodies;
    }
  }

  /** The kernel works on the request, and answers, while it is sent. */
  #exchange(request: LinkRequest): Uint8Array<ArrayBuffer> {
    this.#send(request);
    return this.#receive(request.what, REPLY_SIZE);
  }

  #send({ what, message }: LinkRequest): void {
    const { send } = this.#libc.symbols;
    const view = new DataView(message.buffer, message.byteOffset);
    view.setUint32(8, ++this.#sequence, true);
    if (send(this.fd, message, message.length, 0) < 0) {
      throw this.#libc.error(what, "send");
    }
  }

  #receive(what: string, size: number): Uint8Array<ArrayBuffer> {
    const { recv } = this.#libc.symbols;
    const reply = new Uint8Array(size);
    const length = recv(this.fd, reply, reply.length, MSG.DONTWAIT);
    if (length < 0) throw this.#libc.error(what, "recv");
    return reply.subarray(0, length);
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.fd);
  }
}

function notUnderstood(what: string): Error {
  return new Error(`Cannot ${what}: the kernel's answer is not understood`);
}

/**
 * Reads a part of a list. What does not belong to it is passed over.
 * @returns The error number at its end, 0 for success; undefined if it goes on.
 */
export function readPart(
  part: Uint8Array<ArrayBuffer>,
  sequence: number,
  type: number,
  bodies: Uint8Array[],
): number | undefined {
  const view = new DataView(part.buffer, part.byteOffset, part.length);
  for (let at = 0; at + NLMSG_HDRLEN <= part.length;) {
    const size = view.getUint32(at, true);
    // Cut or spoilt: nothing that follows could be told apart.
    if (size < NLMSG_HDRLEN || at + size > part.length) return Errno.EIO;
    const body = part.subarray(at + NLMSG_HDRLEN, at + size);
    if (view.getUint32(at + 8, true) === sequence) {
      const kind = view.getUint16(at + 4, true);
      if (kind === NLMSG_DONE || kind === NLMSG_ERROR) {
        return body.length < 4 ? 0 : 0 - view.getInt32(at + NLMSG_HDRLEN, true);
      }
      if (kind === type) bodies.push(body);
    }
    at += aligned(size);
  }
  return undefined;
}

/** @returns The error number, 0 for success, undefined for another answer. */
export function acknowledged(
  reply: Uint8Array<ArrayBuffer>,
  sequence: number,
): number | undefined {
  if (reply.length < NLMSG_HDRLEN + 4) return undefined;
  const view = new DataView(reply.buffer, reply.byteOffset, reply.length);
  if (view.getUint16(4, true) !== NLMSG_ERROR) return undefined;
  if (view.getUint32(8, true) !== sequence) return undefined;
  return -view.getInt32(NLMSG_HDRLEN, true);
}

/** struct rtattr of rtnetlink(7), one behind the other. */
export function attributeOf(
  attributes: Uint8Array,
  type: number,
): Uint8Array | undefined {
  const { buffer, byteOffset, length } = attributes;
  const view = new DataView(buffer, byteOffset, length);
  for (let at = 0; at + 4 <= length;) {
    const size = view.getUint16(at, true);
    if (size < 4) return undefined;
    if ((view.getUint16(at + 2, true) & TYPE_MASK) === type) {
      return attributes.subarray(at + 4, Math.min(at + size, length));
    }
    at += (size + 3) & ~3;
  }
  return undefined;
}

/** One of 32 bits. */
export function numberOf(
  attributes: Uint8Array,
  type: number,
): number | undefined {
  const value = attributeOf(attributes, type);
  return value?.length === 4
    ? new DataView(value.buffer, value.byteOffset).getUint32(0, true)
    : undefined;
}
