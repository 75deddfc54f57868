// Claims of a name for as long as a process lives: abstract unix sockets, of
// which each network namespace has its own (unix(7)).

import { Errno, SystemError } from "../errno.ts";
import { unixAddress } from "./sockaddr_un.ts";
import { openSocketLibc, type SocketLibc } from "./socket_libc.ts";
import type { ProcessLibc } from "../process/libc.ts";
import { ownerOfListener } from "./unix_owner.ts";
import { openUnixSocket, peerUser } from "./unix_stream.ts";

/** Who asks is answered by the kernel. */
const BACKLOG = 8;

/**
 * Disposing of it gives the name back.
 * @returns The effective user of the process that has it already.
 * @throws {SystemError} When nobody can have it.
 */
export function claimName(
  libc: ProcessLibc,
  name: string,
): Disposable | number {
  const sockets = openSocketLibc(libc);
  try {
    return claim(sockets, name);
  } finally {
    sockets.close();
  }
}

function claim(libc: SocketLibc, name: string): Disposable | number {
  using undo = new DisposableStack();
  const fd = undo.adopt(
    openUnixSocket(libc),
    (fd) => void libc.symbols.close(fd),
  );
  const { bytes, size } = unixAddress(`@${name}`);
  if (libc.symbols.bind(fd, bytes, size) === 0) {
    if (libc.socket.listen(fd, BACKLOG) === 0) return undo.move();
    throw libc.error(`claim '${name}'`, "listen");
  }
  const error = libc.error(`claim '${name}'`, "bind");
  if (error.errno !== Errno.EADDRINUSE) throw error;
  if (libc.symbols.connect(fd, bytes, size) === 0) return peerUser(libc, fd);
  const refusal = libc.error(`claim '${name}'`, "connect");
  // Whoever has it and does not listen is no daemon of ours.
  if (refusal.errno !== Errno.EAGAIN) return NOBODY;
  // Anybody can fill the queue of one that never accepts.
  return ownerIfTold(libc, bytes.subarray(PATH_AT, size)) ?? NOBODY;
}

function ownerIfTold(libc: SocketLibc, name: Uint8Array): number | undefined {
  try {
    return ownerOfListener(libc, name);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** In struct sockaddr_un. */
const PATH_AT = 2;

/** Of the kernel: whom nobody can be. */
const NOBODY = 0xffffffff;
