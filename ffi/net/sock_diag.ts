// Owners of TCP sockets of this host: sock_diag(7), which answers everybody.

import { Errno, SystemError } from "../errno.ts";
import {
  AF,
  IPPROTO,
  MSG,
  NETLINK,
  NLM_F,
  NLMSG_HDRLEN,
  SOCK,
} from "../flags.ts";
import type { Libc } from "../libc.ts";

// include/uapi/linux/sock_diag.h, inet_diag.h
const SOCK_DIAG_BY_FAMILY = 20;
const REQUEST_SIZE = 56;
const ID_AT = 8;
const MESSAGE_SIZE = 72;
const MESSAGE_STATE_AT = 1;
const MESSAGE_ID_AT = 4;
const MESSAGE_UID_AT = 64;
const MESSAGE_INODE_AT = 68;

// struct inet_diag_sockid
const SOURCE_PORT_AT = 0;
const DESTINATION_PORT_AT = 2;
const SOURCE_AT = 4;
const DESTINATION_AT = 20;
const COOKIE_AT = 40;
const COOKIE_SIZE = 8;

// include/net/tcp_states.h
const TCP_ESTABLISHED = 1;
const TCP_FIN_WAIT1 = 4;
const TCP_FIN_WAIT2 = 5;
const TCP_CLOSE_WAIT = 8;

/** Open in at least one direction. A listener is none of these. */
const CONNECTED: readonly number[] = [
  TCP_ESTABLISHED,
  TCP_FIN_WAIT1,
  TCP_FIN_WAIT2,
  TCP_CLOSE_WAIT,
];

const REPLY_SIZE = 8192;

export interface TcpEnd {
  /** 4 or 16 bytes in network order; both ends have the same number. */
  readonly address: Uint8Array;
  readonly port: number;
}

interface Reply {
  readonly type: number;
  readonly body: DataView<ArrayBuffer>;
}

const TASK = "find the owner of a socket";

export class SocketDiagnosis {
  readonly #libc: Libc;
  readonly #fd: number;
  #sequence = 0;

  /**
   * @throws {SystemError} When the kernel does not tell: `ENOENT` when it was
   * built without that.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    const type = SOCK.RAW | SOCK.CLOEXEC;
    this.#fd = libc.symbols.socket(AF.NETLINK, type, NETLINK.SOCK_DIAG);
    if (this.#fd < 0) throw libc.error(TASK, "socket");
    try {
      this.#tryOut();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * @returns undefined while no process owns the socket at `end`: it is not
   * accepted yet, or closed.
   */
  ownerOf(end: TcpEnd, other: TcpEnd): number | undefined {
    for (const [source, destination] of forms(end, other)) {
      const reply = this.#ask(message(source, destination, NLM_F.REQUEST));
      if (reply.type === SOCK_DIAG_BY_FAMILY) {
        const owner = ownerIn(reply.body, source, destination);
        if (owner !== undefined) return owner;
      } else failUnless(reply, Errno.ENOENT);
    }
    return undefined;
  }

  close(): void {
    this.#libc.symbols.close(this.#fd);
  }

  /**
   * Asks for all sockets in no state at all. A kernel that knows nothing of TCP
   * would answer {@linkcode ownerOf} that there is no such socket.
   */
  #tryOut(): void {
    const nowhere = { address: new Uint8Array(4), port: 0 };
    const flags = NLM_F.REQUEST | NLM_F.DUMP;
    failUnless(this.#ask(message(nowhere, nowhere, flags)), 0);
  }

  /** The answer is there as soon as sending is over. */
  #ask(request: Uint8Array<ArrayBuffer>): Reply {
    const { send, recv } = this.#libc.symbols;
    const sequence = ++this.#sequence;
    new DataView(request.buffer).setUint32(8, sequence, true);
    if (send(this.#fd, request, request.length, 0) < 0) {
      throw this.#libc.error(TASK, "send");
    }
    const room = new Uint8Array(REPLY_SIZE);
    for (;;) {
      const length = recv(this.#fd, room, room.length, MSG.DONTWAIT);
      if (length < 0) throw this.#libc.error(TASK, "recv");
      const view = new DataView(room.buffer);
      // The answer to an earlier request may have been left unread.
      if (length < NLMSG_HDRLEN || view.getUint32(8, true) !== sequence) {
        continue;
      }
      const size = length - NLMSG_HDRLEN;
      const body = new DataView(room.buffer, NLMSG_HDRLEN, size);
      return { type: view.getUint16(4, true), body };
    }
  }
}

function failUnless({ body }: Reply, expected: number): void {
  const errno = body.byteLength < 4 ? Errno.EIO : -body.getInt32(0, true);
  if (errno !== expected) throw new SystemError(TASK, "netlink", errno);
}

/** As sockets of either family may have them. */
function forms(a: TcpEnd, b: TcpEnd): readonly (readonly [TcpEnd, TcpEnd])[] {
  return a.address.length === 4 ? [[a, b], [mapped(a), mapped(b)]] : [[a, b]];
}

/** As IPv6 sockets show it (RFC 4291 section 2.5.5.2). */
function mapped({ address, port }: TcpEnd): TcpEnd {
  const bytes = new Uint8Array(16);
  bytes.fill(0xff, 10, 12);
  bytes.set(address, 12);
  return { address: bytes, port };
}

/** struct nlmsghdr, struct inet_diag_req_v2; the sequence number is still 0. */
function message(
  source: TcpEnd,
  destination: TcpEnd,
  flags: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(NLMSG_HDRLEN + REQUEST_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, flags, true);
  bytes[NLMSG_HDRLEN] = source.address.length === 4 ? AF.INET : AF.INET6;
  bytes[NLMSG_HDRLEN + 1] = IPPROTO.TCP;
  const id = NLMSG_HDRLEN + ID_AT;
  view.setUint16(id + SOURCE_PORT_AT, source.port);
  view.setUint16(id + DESTINATION_PORT_AT, destination.port);
  bytes.set(source.address, id + SOURCE_AT);
  bytes.set(destination.address, id + DESTINATION_AT);
  // No cookie, which would stand for one socket.
  bytes.fill(0xff, id + COOKIE_AT, id + COOKIE_AT + COOKIE_SIZE);
  return bytes;
}

function ownerIn(
  body: DataView,
  source: TcpEnd,
  destination: TcpEnd,
): number | undefined {
  if (body.byteLength < MESSAGE_SIZE) return undefined;
  const id = MESSAGE_ID_AT;
  const isIt = body.getUint16(id + SOURCE_PORT_AT) === source.port &&
    body.getUint16(id + DESTINATION_PORT_AT) === destination.port &&
    CONNECTED.includes(body.getUint8(MESSAGE_STATE_AT));
  // A socket without an inode is nobody's, but shows user 0.
  if (!isIt || body.getUint32(MESSAGE_INODE_AT, true) === 0) return undefined;
  return body.getUint32(MESSAGE_UID_AT, true);
}
