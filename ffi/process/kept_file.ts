// Secret file that is replaced as a whole while the program runs, also after
// it has given up its privileges and its root.

import { Errno } from "../errno.ts";
import { O } from "../flags.ts";
import { cString, type Libc } from "../libc.ts";
import { readDescriptor } from "./file.ts";
import { FileLocks } from "./file_locks.ts";
import type { Identity } from "./identity.ts";
import type { ProcessLibc } from "./libc.ts";
import { replaceFiles } from "./replaced_files.ts";
import { type FileStatus, statDescriptor } from "./stat.ts";

const MODE = 0o600;
/** Group and others. */
const OTHERS = 0o077;
const ROOT = 0;

/** Behind all places that can be claimed. */
const WRITER = 2 ** 48;

interface KeptSecret {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether anybody but its owner has access. */
  readonly isPublic: boolean;
  /** Whether root alone could change that. */
  readonly isRoots: boolean;
}

/**
 * A symbolic link is refused, and a file with several names: what is replaced
 * would live on under the other name.
 * @throws {RangeError} When it is longer.
 */
export function readKeptFile(
  libc: ProcessLibc,
  path: string,
  limit: number,
): KeptSecret {
  const { folder, name } = openFolder(libc, path);
  try {
    return readWithin(libc, folder, name, path, limit);
  } finally {
    libc.symbols.close(folder);
  }
}

export class KeptFile implements Disposable {
  readonly #libc: ProcessLibc;
  readonly #path: string;
  readonly #limit: number;
  readonly #name: string;
  readonly #locks: FileLocks;
  #folder: number;
  #lock: number;

  /**
   * Opens its folder, and a file beside it for the locks, which stays.
   * @throws {SystemError} When one of them cannot be opened.
   */
  constructor(libc: ProcessLibc, path: string, limit: number) {
    const { folder, name } = openFolder(libc, path);
    this.#libc = libc;
    this.#path = path;
    this.#limit = limit;
    this.#name = name;
    this.#folder = folder;
    // Not for reading as well: see takeRuntimeFiles().
    const flags = O.WRONLY | O.CREAT | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;
    const lock = cString(`${name}.lock`);
    this.#lock = libc.process.openat(folder, lock, flags, MODE);
    this.#locks = new FileLocks(libc, this.#lock, `${path}.lock`);
    if (this.#lock >= 0) return;
    const error = libc.error(`open '${path}.lock'`, "openat");
    libc.symbols.close(folder);
    throw error;
  }

  /** Its descriptor. */
  get folder(): number {
    return this.#folder;
  }

  /** @throws {RangeError} When it is longer. */
  read(): Uint8Array<ArrayBuffer> {
    const { bytes } = readWithin(
      this.#libc,
      this.#folder,
      this.#name,
      this.#path,
      this.#limit,
    );
    return bytes;
  }

  /** So that whom the program becomes can read it, and lock it when it starts. */
  giveTo(identity: Identity): void {
    const fd = openWithin(this.#libc, this.#folder, this.#name, this.#path);
    try {
      this.#give(fd, this.#path, identity);
    } finally {
      this.#libc.symbols.close(fd);
    }
    const lock = `${this.#path}.lock`;
    requireAlone(lock, statDescriptor(this.#libc, this.#lock, lock));
    this.#give(this.#lock, lock, identity);
  }

  #give(fd: number, path: string, { uid, gid }: Identity): void {
    if (this.#libc.process.fchown(fd, uid, gid) === 0) return;
    throw this.#libc.error(`give '${path}' to ${uid}`, "fchown");
  }

  /**
   * Claims numbers for this program, until it ends, even by SIGKILL.
   * @param first From 0 to 2^40.
   * @returns Whether nobody else has one of them.
   */
  claim(first: number, count: number): boolean {
    return this.#locks.take(first, count);
  }

  /**
   * Replaces the file by what `change` makes of it; nobody else does meanwhile.
   * @param change Returns undefined to leave it alone. All bytes are overwritten
   * afterwards.
   * @returns false when another program is at it for longer than a second.
   * @throws {SystemError} When it cannot be replaced: it is what it was.
   */
  replace(
    change: (
      bytes: Uint8Array<ArrayBuffer>,
    ) => Uint8Array<ArrayBuffer> | undefined,
  ): boolean {
    if (!this.#locks.wait(WRITER, 1)) return false;
    let before;
    let after;
    try {
      before = this.read();
      after = change(before);
      if (after !== undefined) this.#place(after);
    } finally {
      before?.fill(0);
      after?.fill(0);
      this.#locks.release(WRITER, 1);
    }
    return true;
  }

  /** A second call does nothing. */
  [Symbol.dispose](): void {
    for (const fd of [this.#folder, this.#lock]) {
      if (fd >= 0) this.#libc.symbols.close(fd);
    }
    this.#folder = -1;
    this.#lock = -1;
  }

  #place(bytes: Uint8Array<ArrayBuffer>): void {
    const folder = this.#folder;
    const pathOf = () => this.#path;
    const files = new Map([[this.#name, bytes]]);
    replaceFiles(this.#libc, { folder, pathOf }, files);
  }
}

interface OpenFolder {
  readonly folder: number;
  readonly name: string;
}

function openFolder(libc: Libc, path: string): OpenFolder {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const parent = path.slice(0, path.length - name.length) || ".";
  // Without O_PATH, for fsync(2).
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  const folder = libc.symbols.open(cString(parent), flags, 0);
  if (folder < 0) throw libc.error(`open the folder '${parent}'`, "open");
  return { folder, name };
}

function readWithin(
  libc: ProcessLibc,
  folder: number,
  name: string,
  path: string,
  limit: number,
): KeptSecret {
  const fd = openWithin(libc, folder, name, path);
  try {
    const status = statDescriptor(libc, fd, path);
    return {
      bytes: readDescriptor(libc, fd, path, limit),
      isPublic: (status.mode & OTHERS) !== 0,
      isRoots: status.owner === ROOT && libc.process.geteuid() !== ROOT,
    };
  } finally {
    libc.symbols.close(fd);
  }
}

function openWithin(
  libc: ProcessLibc,
  folder: number,
  name: string,
  path: string,
): number {
  // Without O_NONBLOCK, a FIFO would block until somebody writes to it.
  const flags = O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.NOCTTY | O.CLOEXEC;
  const fd = libc.process.openat(folder, cString(name), flags, 0);
  if (fd < 0) {
    const error = libc.error(`open '${path}'`, "openat");
    if (error.errno !== Errno.ELOOP) throw error;
    throw refusal(path, "a symbolic link", error);
  }
  try {
    requireAlone(path, statDescriptor(libc, fd, path));
    return fd;
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

function requireAlone(path: string, { kind, names }: FileStatus): void {
  if (kind !== "regular file") throw refusal(path, `a ${kind}`);
  if (names !== 1) throw refusal(path, `a file with ${names} names`);
}

function refusal(path: string, what: string, cause?: unknown): Error {
  return new Error(
    `Cannot use '${path}': it is ${what}; it has to be a regular file with ` +
      "this name only, since it is replaced",
    { cause },
  );
}
