// Groups of UDP sockets at one address, of which the datagram itself says which
// one gets it (SO_ATTACH_REUSEPORT_CBPF, socket(7)).

import { PROGRAM_SIZE, writeProgram } from "../classic_bpf.ts";
import { SO, SOL } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { Arena } from "../memory.ts";
import type { SocketAddress } from "./sockaddr.ts";
import { type SocketWay, UdpSocket } from "./udp.ts";

/** A := 16 bits of the payload at k, big endian; 0 is returned without them. */
const LOAD_U16 = 0x28;
/** A := A % k */
const MODULO = 0x94;
const RETURN_A = 0x16;

/**
 * A datagram goes to the socket whose place is the number in it modulo the
 * `count`, one that is too short to the first.
 * @param numberAt Place of that number of 16 bits in the payload.
 * @throws {SystemError} `EADDRINUSE` when somebody else has the address.
 */
export function openUdpGroup(
  libc: Libc,
  local: SocketAddress,
  count: number,
  numberAt: number,
  way: SocketWay = {},
): readonly UdpSocket[] {
  // Not yet with SO_REUSEPORT, or it would join another program of this user.
  const first = UdpSocket.open(libc, local, way);
  const sockets = [first];
  if (count === 1) return sockets;
  try {
    first.letOthersJoin();
    while (sockets.length < count) {
      sockets.push(UdpSocket.open(libc, first.local, { ...way, joins: true }));
    }
    steer(libc, first, count, numberAt);
    return sockets;
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
}

function steer(
  libc: Libc,
  { fd }: UdpSocket,
  count: number,
  numberAt: number,
): void {
  const arena = new Arena(1);
  const program = writeProgram(arena, [
    [LOAD_U16, 0, 0, numberAt],
    [MODULO, 0, 0, count],
    [RETURN_A, 0, 0, 0],
  ]);
  const { setsockopt } = libc.symbols;
  const bytes = arena.slice(program, PROGRAM_SIZE);
  const option = SO.ATTACH_REUSEPORT_CBPF;
  if (setsockopt(fd, SOL.SOCKET, option, bytes, PROGRAM_SIZE) >= 0) return;
  throw libc.error("distribute datagrams among UDP sockets", "setsockopt");
}
