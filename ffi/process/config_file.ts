// Files with options, which may hold secrets.

import { readDescriptor } from "./file.ts";
import { O } from "../flags.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";
import { type FileStatus, statDescriptor } from "./stat.ts";

const ROOT = 0;
const GROUP = 0o070;
const OTHERS = 0o007;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;

/** How often a file is read that somebody writes to meanwhile. */
const TRIES = 3;

interface ConfigFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly status: FileStatus;
}

/**
 * Symbolic links are followed. Owner and permissions are those of the very file
 * that was read, even if its name changes hands.
 * @throws {RangeError} When it is longer than the limit.
 * @throws {Error} When it is no regular file, or does not stop changing.
 */
export function readConfigFile(
  libc: ProcessLibc,
  path: string,
  limit: number,
): ConfigFile {
  // Without O_NONBLOCK, a FIFO would block until somebody writes to it.
  const flags = O.RDONLY | O.NONBLOCK | O.NOCTTY | O.CLOEXEC;
  for (let tries = 1;; tries++) {
    // Anew each time: it may have been replaced.
    const fd = libc.symbols.open(cString(path), flags, 0);
    if (fd < 0) throw libc.error(`open '${path}'`, "open");
    try {
      const before = statDescriptor(libc, fd, path);
      requireRegular(path, before);
      const bytes = readDescriptor(libc, fd, path, limit);
      const after = statDescriptor(libc, fd, path);
      if (after.version === before.version && bytes.length === after.size) {
        return { bytes, status: after };
      }
      bytes.fill(0);
    } finally {
      libc.symbols.close(fd);
    }
    if (tries < TRIES) continue;
    throw new Error(`Cannot read '${path}': it changes while it is read`);
  }
}

/** Who can write to a file, or give themselves the right to. */
type Writers = "all" | "group" | "owner";

/**
 * Who besides root and the reader can write to it.
 * @param user The reader's
 * @param group The reader's own
 */
export function otherWriters(
  status: FileStatus,
  user: number,
  group: number,
): readonly Writers[] {
  const { mode } = status;
  if ((mode & OTHERS_WRITE) !== 0) return ["all"];
  // The bits of the group bound an access list as well (acl(5)).
  const isGroups = (mode & GROUP_WRITE) !== 0 &&
    status.group !== ROOT && status.group !== group;
  const isOwners = status.owner !== ROOT && status.owner !== user;
  return [
    ...(isGroups ? ["group"] as const : []),
    ...(isOwners ? ["owner"] as const : []),
  ];
}

/** Whether anybody can use it but root and some others. */
export function isOpenToOthers(
  { mode, owner, group }: FileStatus,
  users: readonly number[],
  groups: readonly number[],
): boolean {
  if (owner !== ROOT && !users.includes(owner)) return true;
  // The bits of the group bound an access list as well (acl(5)).
  const isOwnGroup = group === ROOT || groups.includes(group);
  return (mode & (isOwnGroup ? OTHERS : GROUP | OTHERS)) !== 0;
}

function requireRegular(path: string, { kind }: FileStatus): void {
  if (kind === "regular file") return;
  throw new Error(
    `Cannot read '${path}': it is a ${kind}; it has to be a regular file, ` +
      "since it is read again later",
  );
}
