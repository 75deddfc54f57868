// Owners of unix sockets that listen: sock_diag(7), which answers everybody.

import { AF, NETLINK, NLM_F } from "../flags.ts";
import type { Libc } from "../libc.ts";
import {
  attributeOf,
  message,
  numberOf,
  RouteSocket,
} from "../tuntap/rtnetlink.ts";

// include/uapi/linux/sock_diag.h, unix_diag.h
const SOCK_DIAG_BY_FAMILY = 20;
const REQUEST_SIZE = 24;
const STATES_AT = 4;
const SHOW_AT = 12;
const MESSAGE_SIZE = 16;
const UDIAG_SHOW_NAME = 0x1;
const UDIAG_SHOW_UID = 0x40;
const UNIX_DIAG_NAME = 0;
const UNIX_DIAG_UID = 7;

// include/net/tcp_states.h
const TCP_LISTEN = 10;

/**
 * @param name As in struct sockaddr_un, with its zero byte in front.
 * @returns The effective user of who has made the socket; undefined before Linux
 * 5.3, and where nobody listens at that name.
 * @throws {SystemError} `ENOENT` when the kernel was built without that.
 */
export function ownerOfListener(
  libc: Libc,
  name: Uint8Array,
): number | undefined {
  const body = new Uint8Array(REQUEST_SIZE);
  const view = new DataView(body.buffer);
  body[0] = AF.UNIX;
  view.setUint32(STATES_AT, 1 << TCP_LISTEN, true);
  view.setUint32(SHOW_AT, UDIAG_SHOW_NAME | UDIAG_SHOW_UID, true);
  const what = "find the owner of a unix socket";
  const query = message(SOCK_DIAG_BY_FAMILY, NLM_F.DUMP, body, []);
  using socket = new RouteSocket(libc, NETLINK.SOCK_DIAG);
  const found = socket.dump({ what, message: query }, SOCK_DIAG_BY_FAMILY)
    .map((one) => one.subarray(MESSAGE_SIZE))
    .find((one) => isEqual(attributeOf(one, UNIX_DIAG_NAME), name));
  return found && numberOf(found, UNIX_DIAG_UID);
}

function isEqual(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length &&
    one.every((byte, k) => byte === other[k]);
}
