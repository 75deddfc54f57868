// Users, groups and chroot.

import { Errno, SystemError } from "../errno.ts";
import { PR } from "../flags.ts";
import { cString } from "../libc.ts";
import { keepCapabilities } from "./capabilities.ts";
import type { ProcessLibc } from "./libc.ts";

// struct passwd { char *name, *passwd; uid_t uid; gid_t gid; … }
// struct group { char *name, *passwd; gid_t gid; … }
const PASSWD_UID_AT = 16;
const PASSWD_GID_AT = 20;
const GROUP_NAME_AT = 0;
const GROUP_GID_AT = 16;

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** With the primary group. */
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

export function findGroup(libc: ProcessLibc, name: string): number | undefined {
  const entry = libc.process.getgrnam(cString(name));
  if (entry === null) return undefined;
  return new Deno.UnsafePointerView(entry).getUint32(GROUP_GID_AT);
}

export function groupName(libc: ProcessLibc, gid: number): string | undefined {
  const entry = libc.process.getgrgid(gid);
  if (entry === null) return undefined;
  const name = new Deno.UnsafePointerView(entry).getPointer(GROUP_NAME_AT);
  return name === null ? undefined : Deno.UnsafePointerView.getCString(name);
}

export function effectiveUser(libc: ProcessLibc): number {
  return libc.process.geteuid();
}

export function effectiveGroup(libc: ProcessLibc): number {
  return libc.process.getegid();
}

/**
 * For all threads. Descriptors that are open remain a way out; so do
 * privileges.
 */
export function changeRoot(libc: ProcessLibc, folder: string): void {
  // First into it: chroot() does not check whether it may be entered.
  changeDirectory(libc, folder);
  if (libc.process.chroot(cString(".")) !== 0) {
    throw libc.error(`make '${folder}' the root`, "chroot");
  }
  changeDirectory(libc, "/");
}

export function changeDirectory(libc: ProcessLibc, folder: string): void {
  if (libc.process.chdir(cString(folder)) !== 0) {
    throw libc.error(`enter '${folder}'`, "chdir");
  }
}

/**
 * Switches in all threads, and verifies that there is no way back.
 * @param kept Capabilities that this thread keeps, and no other one.
 * @throws {Error} When root could be regained.
 */
export function changeIdentity(
  libc: ProcessLibc,
  { uid, gid }: Identity,
  kept: readonly number[] = [],
): void {
  const { setgroups, setgid, setuid, prctlNumber } = libc.process;
  if (kept.length > 0 && prctlNumber(PR.SET_KEEPCAPS, 1, 0, 0, 0) !== 0) {
    throw libc.error("keep capabilities", "prctl");
  }
  if (setgroups(1, Uint32Array.of(gid)) !== 0) {
    throw libc.error("drop the additional groups", "setgroups");
  }
  if (setgid(gid) !== 0) throw libc.error(`switch to group ${gid}`, "setgid");
  if (setuid(uid) !== 0) throw libc.error(`switch to user ${uid}`, "setuid");
  if (uid === 0) return;
  if (kept.length > 0) keepCapabilities(libc, kept);
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
