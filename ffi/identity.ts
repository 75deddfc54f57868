/**
 * Who a process is, and where its files begin: users, groups and chroot.
 *
 * @module
 */

import { Errno, SystemError } from "./errno.ts";
import { cString } from "./libc.ts";
import type { ProcessLibc } from "./process_libc.ts";

// struct passwd { char *name, *passwd; uid_t uid; gid_t gid; … }
// struct group { char *name, *passwd; gid_t gid; … }
const PASSWD_UID_AT = 16;
const PASSWD_GID_AT = 20;
const GROUP_GID_AT = 16;

/** A user and one group, by number. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/**
 * A user with the primary group.
 *
 * @returns undefined when there is no such user.
 */
export function findUser(
  libc: ProcessLibc,
  name: string,
): Identity | undefined {
  const entry = libc.process.getpwnam(cString(name));
  if (entry === null) return undefined;
  const view = new Deno.UnsafePointerView(entry);
  return {
    uid: view.getUint32(PASSWD_UID_AT),
    gid: view.getUint32(PASSWD_GID_AT),
  };
}

/**
 * @param name The name of a group.
 * @returns Its number, undefined when there is no such group.
 */
export function findGroup(libc: ProcessLibc, name: string): number | undefined {
  const entry = libc.process.getgrnam(cString(name));
  if (entry === null) return undefined;
  return new Deno.UnsafePointerView(entry).getUint32(GROUP_GID_AT);
}

/** @returns The user that this process acts as now. */
export function effectiveUser(libc: ProcessLibc): number {
  return libc.process.geteuid();
}

/**
 * Makes a folder the root of the file system for all threads, and the working
 * directory. Descriptors that are open remain a way out; so do privileges.
 *
 * @throws {SystemError} When it cannot be done.
 */
export function changeRoot(libc: ProcessLibc, folder: string): void {
  // Into it first: chroot() itself does not ask whether it may be entered.
  changeDirectory(libc, folder);
  if (libc.process.chroot(cString(".")) !== 0) {
    throw libc.error(`make '${folder}' the root`, "chroot");
  }
  changeDirectory(libc, "/");
}

/** @throws {SystemError} When the folder cannot be entered. */
export function changeDirectory(libc: ProcessLibc, folder: string): void {
  if (libc.process.chdir(cString(folder)) !== 0) {
    throw libc.error(`enter '${folder}'`, "chdir");
  }
}

/**
 * Gives up the present identity in all threads, and makes sure that the way
 * back is closed.
 *
 * @throws {SystemError} When a step is refused.
 * @throws {Error} When the privileges of root could be had again.
 */
export function changeIdentity(
  libc: ProcessLibc,
  { uid, gid }: Identity,
): void {
  const { setgroups, setgid, setuid } = libc.process;
  if (setgroups(1, Uint32Array.of(gid)) !== 0) {
    throw libc.error("drop the additional groups", "setgroups");
  }
  if (setgid(gid) !== 0) throw libc.error(`switch to group ${gid}`, "setgid");
  if (setuid(uid) !== 0) throw libc.error(`switch to user ${uid}`, "setuid");
  if (uid === 0) return;
  if (setuid(0) === 0) {
    throw new Error("Cannot give up privileges: setuid(0) still succeeds");
  }
  if (libc.errno() !== Errno.EPERM) {
    throw new SystemError(
      "verify that privileges are gone",
      "setuid",
      libc.errno(),
    );
  }
}
