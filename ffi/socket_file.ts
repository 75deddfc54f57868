/**
 * The file that a unix socket is reached by: made for one user alone, and
 * taken over from a server that has died.
 *
 * @module
 */

import { Errno, SystemError } from "./errno.ts";
import { AT, O } from "./flags.ts";
import type { Identity } from "./identity.ts";
import { cString } from "./libc.ts";
import { unixAddress } from "./sockaddr_un.ts";
import type { SocketLibc } from "./socket_libc.ts";
import {
  type FileStatus,
  statDescriptor,
  statName,
  statOrNone,
} from "./stat.ts";
import { openUnixSocket } from "./unix_stream.ts";

/** The owner, and nobody else. */
const MODE = 0o600;
const PERMISSIONS = 0o777;

/** Milliseconds in which a server that has its name begins to listen. */
const STARTING_MS = 50;

/** How often the name may turn out to be taken by another dead server. */
const ATTEMPTS = 3;

/**
 * The name of a socket. As long as it is held, no other file can pass for this
 * one: numbers of files that are gone are given out again.
 */
export class SocketFile {
  readonly #libc: SocketLibc;
  readonly #path: string;
  readonly #held: number;

  private constructor(libc: SocketLibc, path: string) {
    this.#libc = libc;
    this.#path = path;
    this.#held = libc.symbols.open(cString(path), O.PATH | O.CLOEXEC, 0);
    if (this.#held < 0) throw libc.error(`find '${path}'`, "open");
  }

  /**
   * Gives a socket its name in the file system, with mode 0600 from the first
   * moment on.
   *
   * @param fd A socket that has no name and does not listen.
   * @param path The name. A socket of a dead server gives way.
   * @param owner Whom the file is to belong to, if not to this user.
   * @returns The file, to be removed at the end.
   * @throws {SystemError} When it cannot be made.
   * @throws {Error} When the name is that of something else, or of a server
   * that listens.
   */
  static bind(
    libc: SocketLibc,
    fd: number,
    path: string,
    owner: Identity | undefined,
  ): SocketFile {
    // The kernel takes the mode of the file from the socket.
    if (libc.socket.fchmod(fd, MODE) !== 0) {
      throw libc.error(`protect '${path}'`, "fchmod");
    }
    const { bytes, size } = unixAddress(path);
    for (let attempt = 1; libc.symbols.bind(fd, bytes, size) !== 0; attempt++) {
      const error = libc.error(`listen at '${path}'`, "bind");
      if (error.errno !== Errno.EADDRINUSE || attempt > ATTEMPTS) throw error;
      removeDead(libc, path);
    }
    const file = new SocketFile(libc, path);
    if (!file.#isOurs()) {
      file.release();
      throw new Error(
        `Cannot listen at '${path}': its file was moved or replaced`,
      );
    }
    try {
      file.#handOver(owner);
      return file;
    } catch (error) {
      file.remove();
      throw error;
    }
  }

  /** Finds the file of a socket; undefined when there is none any more. */
  static find(libc: SocketLibc, path: string): SocketFile | undefined {
    const status = statOrNone(() => statName(libc, path));
    if (status === undefined) return undefined;
    if (status.kind !== "socket") {
      throw new Error(
        `Cannot listen at '${path}': it exists and is not a socket`,
      );
    }
    return new SocketFile(libc, path);
  }

  /** Whether this name leads to it, and not through a symbolic link. */
  isAt(path: string): boolean {
    const found = statOrNone(() => statName(this.#libc, path));
    return found?.identity === this.#status().identity;
  }

  /** Removes the name if it is still of this file, and that is allowed. */
  remove(): void {
    if (this.isAt(this.#path)) this.#libc.socket.unlink(cString(this.#path));
    this.release();
  }

  /** Leaves the name, and lets go of the file. */
  release(): void {
    this.#libc.symbols.close(this.#held);
  }

  #status(): FileStatus {
    return statDescriptor(this.#libc, this.#held, this.#path);
  }

  /** Whoever may write to the folder could have put another one there. */
  #isOurs(): boolean {
    const status = this.#status();
    const user = this.#libc.process.geteuid();
    return status.kind === "socket" && status.names === 1 &&
      status.owner === user &&
      this.isAt(this.#path);
  }

  /** Makes sure that nobody else can connect, and gives it to its owner. */
  #handOver(owner: Identity | undefined): void {
    const libc = this.#libc;
    const path = this.#path;
    const { mode, owner: user } = this.#status();
    if ((mode & PERMISSIONS & ~MODE) !== 0) {
      throw new Error(`Cannot protect '${path}': its file system has no modes`);
    }
    if (owner === undefined || owner.uid === user) return;
    const { uid, gid } = owner;
    const { fchownat } = libc.socket;
    if (fchownat(this.#held, cString(""), uid, gid, AT.EMPTY_PATH) !== 0) {
      throw libc.error(`give '${path}' to user ${uid}`, "fchownat");
    }
  }
}

/**
 * Makes room where a server has died. Another one may be about to do the same:
 * it must not lose the socket that it has just made.
 */
function removeDead(libc: SocketLibc, path: string): void {
  const dead = SocketFile.find(libc, path);
  if (dead === undefined) return;
  try {
    // One that is about to start has its name before it listens.
    if (isServed(libc, path) || isServed(libc, path, STARTING_MS)) {
      throw isTaken(path);
    }
    const aside = `${path}.${Deno.pid}.dead`;
    if (libc.socket.rename(cString(path), cString(aside)) !== 0) {
      const error = libc.error(`replace '${path}'`, "rename");
      if (error.errno === Errno.ENOENT) return;
      throw error;
    }
    if (!dead.isAt(aside)) {
      libc.socket.rename(cString(aside), cString(path));
      throw isTaken(path);
    }
    libc.socket.unlink(cString(aside));
  } finally {
    dead.release();
  }
}

function isTaken(path: string): Error {
  return new Error(`Cannot listen at '${path}': another server listens there`);
}

/** @param afterMs How long to hold up the thread before, in milliseconds. */
function isServed(libc: SocketLibc, path: string, afterMs = 0): boolean {
  if (afterMs > 0) libc.symbols.poll(null, 0, afterMs);
  const { bytes, size } = unixAddress(path);
  const fd = openUnixSocket(libc);
  try {
    if (libc.process.connect(fd, bytes, size) === 0) return true;
    const errno = libc.errno();
    if (errno === Errno.ECONNREFUSED || errno === Errno.ENOENT) return false;
    // Too many wait to be let in.
    if (errno === Errno.EAGAIN) return true;
    throw new SystemError(`listen at '${path}'`, "connect", errno);
  } finally {
    libc.symbols.close(fd);
  }
}
