// The file of a unix socket: made for one user alone, and taken over from a
// server that has died.

import { Errno, SystemError } from "../errno.ts";
import { AT, O } from "../flags.ts";
import type { Identity } from "../process/identity.ts";
import { cString } from "../libc.ts";
import { unixAddress } from "./sockaddr_un.ts";
import type { SocketLibc } from "./socket_libc.ts";
import {
  type FileStatus,
  statDescriptor,
  statName,
  statOrNone,
} from "../process/stat.ts";
import { openUnixSocket } from "./unix_stream.ts";

const MODE = 0o600;
const PERMISSIONS = 0o777;

/** Milliseconds between bind and listen of a server that starts. */
const STARTING_MS = 50;

/** How often another dead server may turn up. */
const ATTEMPTS = 3;

/**
 * Held open: inode numbers of removed files are reused, and another file could
 * pass for this one.
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
   * Mode 0600 from the first moment on. The socket of a dead server gives way.
   * @param owner Owner of the file, if not this user.
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

  /** Not through a symbolic link. */
  isAt(path: string): boolean {
    const found = statOrNone(() => statName(this.#libc, path));
    return found?.identity === this.#status().identity;
  }

  /** If the name is still of this file, and removal is allowed. */
  remove(): void {
    if (this.isAt(this.#path)) this.#libc.socket.unlink(cString(this.#path));
    this.release();
  }

  /** Leaves the name. */
  release(): void {
    this.#libc.symbols.close(this.#held);
  }

  #status(): FileStatus {
    return statDescriptor(this.#libc, this.#held, this.#path);
  }

  // Whoever may write to the folder could have put another one there.
  #isOurs(): boolean {
    const status = this.#status();
    const user = this.#libc.process.geteuid();
    return status.kind === "socket" && status.names === 1 &&
      status.owner === user &&
      this.isAt(this.#path);
  }

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
 * Another server may be about to do the same: it must not lose the socket that
 * it has just made.
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

/** @param afterMs Blocks the thread before. */
function isServed(libc: SocketLibc, path: string, afterMs = 0): boolean {
  if (afterMs > 0) libc.symbols.poll(null, 0, afterMs);
  const { bytes, size } = unixAddress(path);
  const fd = openUnixSocket(libc);
  try {
    if (libc.symbols.connect(fd, bytes, size) === 0) return true;
    const errno = libc.errno();
    if (errno === Errno.ECONNREFUSED || errno === Errno.ENOENT) return false;
    // Its backlog is full.
    if (errno === Errno.EAGAIN) return true;
    throw new SystemError(`listen at '${path}'`, "connect", errno);
  } finally {
    libc.symbols.close(fd);
  }
}
