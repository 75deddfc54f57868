// Folder of small files that outlive the process. It is opened once, while there
// are privileges, and stays open: neither a jail nor another identity changes
// what is reached.

import { Errno, SystemError } from "../errno.ts";
import { AT, O } from "../flags.ts";
import { cString } from "../libc.ts";
import { readDescriptor } from "./file.ts";
import { FileLocks } from "./file_locks.ts";
import type { Identity } from "./identity.ts";
import type { ProcessLibc } from "./libc.ts";
import { namesIn } from "./names.ts";
import { type FileContents, replaceFiles } from "./replaced_files.ts";
import { SharedPages } from "./shared_pages.ts";
import { type FileStatus, statDescriptor, statName } from "./stat.ts";

const ROOT = 0;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Group and others, and writing by them. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

// <unistd.h>
const W_OK_AND_X_OK = 3;

const LOCK_NAME = ".lock";
// Places in it: of whoever changes files, and of the numbers that are claimed.
const CHANGES = 0;
const CLAIMS = 1;

export class StateFolder {
  readonly path: string;
  readonly #libc: ProcessLibc;
  readonly #owner: Identity | undefined;
  #fd: number;
  readonly #locks: FileLocks;
  /** Files that keep other processes out. */
  readonly #held: number[] = [];

  /**
   * Makes the folder where there is none. One of root's becomes that of the
   * identity that the process will have.
   * @throws {Error} When it is of no use; the message says why.
   */
  constructor(libc: ProcessLibc, path: string, owner?: Identity) {
    this.#libc = libc;
    this.#owner = owner;
    this.path = path;
    this.#fd = openOrMake(libc, path);
    try {
      const status = statDescriptor(libc, this.#fd, path);
      requireOwn(path, status, owner?.uid ?? libc.process.geteuid());
      if (owner !== undefined && status.owner !== owner.uid) {
        this.#handOver(owner);
      }
      if (libc.process.faccessat(this.#fd, cString("."), W_OK_AND_X_OK, 0)) {
        throw libc.error(`write to the folder '${path}'`, "faccessat");
      }
      this.#locks = this.#lockFile(LOCK_NAME);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get descriptor(): number {
    return this.#fd;
  }

  names(): readonly string[] {
    const here = this.#open(".", O.RDONLY | O.DIRECTORY);
    try {
      return namesIn(this.#libc, here, this.path);
    } finally {
      this.#libc.symbols.close(here);
    }
  }

  /**
   * @returns undefined if there is no such file
   * @throws {RangeError} When it is longer than the limit.
   */
  read(name: string, limit: number): Uint8Array<ArrayBuffer> | undefined {
    const fd = this.#openOrNone(name, O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
    if (fd === undefined) return undefined;
    try {
      return readDescriptor(this.#libc, fd, this.pathOf(name), limit);
    } finally {
      this.#libc.symbols.close(fd);
    }
  }

  /** See {@link replaceFiles}. */
  replace(files: FileContents): void {
    replaceFiles(this.#libc, {
      folder: this.#fd,
      pathOf: (name) => name === undefined ? this.path : this.pathOf(name),
      adopt: (fd, name) => this.#adopt(fd, name),
    }, files);
  }

  /**
   * Does work while no other process does some here.
   * @throws {SystemError} When another one is at it for longer than a second.
   */
  exclusively<T>(work: () => T): T {
    if (!this.#locks.wait(CHANGES, 1)) {
      const what = `lock the folder '${this.path}'`;
      throw new SystemError(what, "fcntl", Errno.EAGAIN);
    }
    try {
      return work();
    } finally {
      this.#locks.release(CHANGES, 1);
    }
  }

  /**
   * Claims a number for this process, until it closes the folder or ends.
   * @returns Whether no other process has it
   */
  claim(number: number): boolean {
    return this.#locks.take(CLAIMS + number, 1);
  }

  disclaim(number: number): void {
    this.#locks.release(CLAIMS + number, 1);
  }

  /** @returns Whether no other process holds the file, as this one then does */
  hold(name: string): boolean {
    const isFree = this.#lockFile(name).take(0, 1);
    if (!isFree) this.#libc.symbols.close(this.#held.pop() ?? -1);
    return isFree;
  }

  /**
   * A file that is memory as well: what is written there stays when the process
   * is killed. Its room is on the disk before, as a page without any would kill
   * the process.
   */
  map(name: string, bytes: Uint8Array<ArrayBuffer>): SharedPages {
    this.replace(new Map([[name, bytes]]));
    const fd = this.#open(name, O.RDWR | O.NOFOLLOW);
    try {
      return SharedPages.map(this.#libc, fd, bytes.length, this.pathOf(name));
    } finally {
      this.#libc.symbols.close(fd);
    }
  }

  pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  close(): void {
    for (const fd of this.#held.splice(0)) this.#libc.symbols.close(fd);
    if (this.#fd >= 0) this.#libc.symbols.close(this.#fd);
    this.#fd = -1;
  }

  // Not for reading as well: see takeRuntimeFiles().
  #lockFile(name: string): FileLocks {
    const fd = this.#open(name, O.WRONLY | O.CREAT | O.NOFOLLOW | O.NONBLOCK);
    this.#held.push(fd);
    this.#adopt(fd, name);
    return new FileLocks(this.#libc, fd, this.pathOf(name));
  }

  // What root makes before it becomes somebody else is to be theirs.
  #adopt(fd: number, name: string): void {
    const { geteuid, fchownat } = this.#libc.process;
    if (this.#owner === undefined || geteuid() !== ROOT) return;
    const { uid, gid } = this.#owner;
    if (fchownat(fd, cString(""), uid, gid, AT.EMPTY_PATH) === 0) return;
    throw this.#libc.error(`give away '${this.pathOf(name)}'`, "fchownat");
  }

  #open(name: string, flags: number): number {
    const fd = this.#openOrNone(name, flags);
    if (fd !== undefined) return fd;
    const what = `open '${this.pathOf(name)}'`;
    throw new SystemError(what, "openat", Errno.ENOENT);
  }

  #openOrNone(name: string, flags: number): number | undefined {
    const { openat } = this.#libc.process;
    const fd = openat(this.#fd, cString(name), flags | O.CLOEXEC, FILE_MODE);
    if (fd >= 0) return fd;
    const error = this.#libc.error(`open '${this.pathOf(name)}'`, "openat");
    if (error.errno === Errno.ENOENT) return undefined;
    throw error;
  }

  // Nobody but root could put something into it: no file is a second name of
  // somebody else's, unless root made it. What is in it for others, too, shows
  // that it is another folder, as after a mistake. A key chain may be there.
  #handOver({ uid, gid }: Identity): void {
    const names = this.names();
    const foreign = names
      .find((name) => !isOwnName(name) && !this.#isPrivate(name));
    if (foreign !== undefined) {
      throw new Error(
        `Cannot keep state in '${this.path}': it would be given to user ` +
          `${uid}, and '${foreign}' in it is for others, too; use a folder ` +
          "for it alone",
      );
    }
    for (const name of ["", ...names.filter(isOwnName)]) {
      if (name !== "" && statName(this.#libc, name, this.#fd).names !== 1) {
        continue;
      }
      const flags = name === "" ? AT.EMPTY_PATH : AT.SYMLINK_NOFOLLOW;
      const { fchownat } = this.#libc.process;
      if (fchownat(this.#fd, cString(name), uid, gid, flags) === 0) continue;
      throw this.#libc.error(`give away '${this.pathOf(name)}'`, "fchownat");
    }
  }

  #isPrivate(name: string): boolean {
    const { kind, mode } = statName(this.#libc, name, this.#fd);
    return kind === "regular file" && (mode & OTHERS) === 0;
  }
}

/** @returns false if there is one, too */
export function makeStateFolder(libc: ProcessLibc, path: string): boolean {
  return libc.process.mkdir(cString(path), FOLDER_MODE) === 0;
}

function openOrMake(libc: ProcessLibc, path: string): number {
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  const open = () => libc.symbols.open(cString(path), flags, 0);
  const fd = open();
  if (fd >= 0) return fd;
  const error = libc.error(`open the folder '${path}'`, "open");
  if (error.errno !== Errno.ENOENT) throw error;
  if (!makeStateFolder(libc, path)) {
    throw libc.error(`make the folder '${path}'`, "mkdir");
  }
  const made = open();
  if (made < 0) throw libc.error(`open the folder '${path}'`, "open");
  return made;
}

function requireOwn(
  path: string,
  { owner, mode }: FileStatus,
  user: number,
): void {
  if (owner !== user && owner !== ROOT) {
    throw new Error(
      `Cannot keep state in '${path}': it belongs to user ${owner}, ` +
        `and has to belong to user ${user}`,
    );
  }
  if ((mode & OTHERS_WRITE) !== 0) {
    throw new Error(
      `Cannot keep state in '${path}': others may write to it; use chmod 700`,
    );
  }
}

/** Beside some there may be one that is being written, and one to lock. */
const KIND = "(numbers-\\w+|sender-ids|(accepted|lent)-\\d+|clients-\\w+)";
const OWN_NAME = new RegExp(`^(${KIND}|\\.${KIND}\\.(new|lock)|\\.lock)$`);

function isOwnName(name: string): boolean {
  return OWN_NAME.test(name);
}
