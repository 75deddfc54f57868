// File status: statx(2), whose struct is the same on every architecture.

import { AT } from "../flags.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";

// include/uapi/linux/stat.h
const STATX_MODE = 0x2;
const STATX_NLINK = 0x4;
const STATX_UID = 0x8;
const STATX_GID = 0x10;
const STATX_MTIME = 0x40;
const STATX_CTIME = 0x80;
const STATX_INO = 0x100;
const STATX_FILE_SIZE = 0x200;
const STATX_SIZE = 256;
const NLINK_AT = 16;
const OWNER_AT = 20;
const GROUP_AT = 24;
const MODE_AT = 28;
const INODE_AT = 32;
const SIZE_AT = 40;
// struct statx_timestamp { s64 tv_sec; u32 tv_nsec; s32 reserved; }
const CHANGED_AT = 96;
const WRITTEN_AT = 112;
const NANOSECONDS_AT = 8;
const DEVICE_MAJOR_AT = 136;
const DEVICE_MINOR_AT = 140;

/** <unistd.h> */
const X_OK = 1;

/** By the upper four bits of a mode. */
const KINDS = new Map([
  [0o1, "FIFO"],
  [0o2, "character device"],
  [0o4, "folder"],
  [0o6, "block device"],
  [0o10, "regular file"],
  [0o12, "symbolic link"],
  [0o14, "socket"],
]);

export interface FileStatus {
  /** Type and permission bits. */
  readonly mode: number;
  readonly kind: string;
  readonly names: number;
  readonly owner: number;
  readonly group: number;
  readonly size: number;
  /** Another one after each change of what it holds, as far as clocks tell. */
  readonly version: string;
  /** The same for two names of one file, and for no others. */
  readonly identity: string;
}

/** Follows a symbolic link. */
export function statPath(libc: ProcessLibc, path: string): FileStatus {
  return stat(libc, AT.FDCWD, path, 0, path);
}

/**
 * As {@linkcode statPath}, as it is now even where another host has the file:
 * what NFS and sshfs remember of it may be a minute old.
 */
export function statPathNow(libc: ProcessLibc, path: string): FileStatus {
  return stat(libc, AT.FDCWD, path, AT.STATX_FORCE_SYNC, path);
}

/**
 * Does not follow a symbolic link.
 * @param folder An open folder for relative names.
 */
export function statName(
  libc: ProcessLibc,
  name: string,
  folder: number = AT.FDCWD,
): FileStatus {
  return stat(libc, folder, name, AT.SYMLINK_NOFOLLOW, name);
}

export function statDescriptor(
  libc: ProcessLibc,
  fd: number,
  path: string,
): FileStatus {
  return stat(libc, fd, "", AT.EMPTY_PATH, path);
}

/** Whether the user of this process may, from where it lies. */
export function mayExecute(libc: ProcessLibc, path: string): boolean {
  return libc.process.faccessat(AT.FDCWD, cString(path), X_OK, 0) === 0;
}

/** @returns undefined when nothing is there, or it cannot be seen */
export function statOrNone(look: () => FileStatus): FileStatus | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** Major and minor number in a dev_t, as makedev(3) puts them together. */
export function deviceNumbers(device: bigint): readonly [bigint, bigint] {
  const major = device >> 8n & 0xfffn | device >> 32n & 0xfffff000n;
  const minor = device & 0xffn | device >> 12n & 0xffffff00n;
  return [major, minor];
}

function stat(
  libc: ProcessLibc,
  fd: number,
  path: string,
  flags: number,
  name: string,
): FileStatus {
  const { statx } = libc.process;
  const result = new Uint8Array(STATX_SIZE);
  const mask = STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID |
    STATX_MTIME | STATX_CTIME | STATX_INO | STATX_FILE_SIZE;
  if (statx(fd, cString(path), flags, mask, result) !== 0) {
    throw libc.error(`look at '${name}'`, "statx");
  }
  const view = new DataView(result.buffer);
  const device = [DEVICE_MAJOR_AT, DEVICE_MINOR_AT]
    .map((at) => view.getUint32(at, true));
  const inode = view.getBigUint64(INODE_AT, true);
  const size = Number(view.getBigUint64(SIZE_AT, true));
  const times = [CHANGED_AT, WRITTEN_AT].flatMap((at) => [
    view.getBigInt64(at, true),
    view.getUint32(at + NANOSECONDS_AT, true),
  ]);
  const mode = view.getUint16(MODE_AT, true);
  return {
    mode,
    kind: KINDS.get(mode >> 12) ?? "file of an unknown kind",
    names: view.getUint32(NLINK_AT, true),
    owner: view.getUint32(OWNER_AT, true),
    group: view.getUint32(GROUP_AT, true),
    size,
    version: [...times, size].join(":"),
    identity: [...device, inode].join(":"),
  };
}
