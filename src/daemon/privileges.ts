/**
 * Giving up what only the start needs: the view of the file system, and the
 * identity (CLI section 3). Unlike in the original, nothing of it may fail.
 *
 * @module
 */
import type { Identity } from "../../ffi/process/identity.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { ProcessControl } from "./process_control.ts";

/** What of the options says who to become, and where. */
export type PrivilegeOptions = Pick<
  AnytunOptions,
  "foreground" | "username" | "groupname" | "chroot"
>;

/** An identity, and how people call it. */
export interface NamedIdentity extends Identity {
  /** `user:group`. */
  readonly text: string;
}

/**
 * Looks up user and group while their files are still in sight.
 *
 * @returns undefined if the identity is to stay
 * @throws if one of them does not exist
 */
export function findIdentity(
  { username, groupname }: PrivilegeOptions,
  control: ProcessControl,
): NamedIdentity | undefined {
  if (username === undefined) return undefined;
  const user = control.findUser(username);
  if (user === undefined) {
    throw new Error(`unknown user ${username} (--username)`);
  }
  if (groupname === undefined) {
    const group = control.groupName(user.gid) ?? user.gid;
    return { ...user, text: `${username}:${group}` };
  }
  const gid = control.findGroup(groupname);
  if (gid === undefined) {
    throw new Error(`unknown group ${groupname} (--groupname)`);
  }
  return { uid: user.uid, gid, text: `${username}:${groupname}` };
}

/**
 * Enters the jail and takes on the identity, for good, and has nothing
 * executed from then on.
 *
 * @throws if a step fails; what was done before it stays done
 */
export function giveUpPrivileges(
  options: PrivilegeOptions,
  identity: NamedIdentity | undefined,
  control: ProcessControl,
  logger: Logger,
): void {
  if (options.chroot !== undefined || identity !== undefined) {
    during("close the runtime's files", () => control.takeRuntimeFiles());
  }
  control.emptyBoundingSet();
  enterJail(options, control, logger);
  if (identity !== undefined) become(identity, options, control, logger);
  // Once more: a change of identity may have shown it again.
  during("hide the memory", () => control.hideMemory());
  const reason = control.forbidExecution();
  if (reason !== undefined) {
    logger.warning(`other programs could be executed from here on: ${reason}`);
  }
}

function enterJail(
  { chroot, foreground }: PrivilegeOptions,
  control: ProcessControl,
  logger: Logger,
): void {
  if (chroot !== undefined) {
    during("enter the jail (--chroot)", () => control.changeRoot(chroot));
    logger.notice(`we are in chroot jail (${chroot}) now`);
  } else if (!foreground) {
    // Not to keep a file system busy that somebody wants to unmount.
    during("leave the working directory", () => control.changeDirectory("/"));
  }
}

function become(
  identity: NamedIdentity,
  { username }: PrivilegeOptions,
  control: ProcessControl,
  logger: Logger,
): void {
  during(
    "drop privileges (--username)",
    () => control.changeIdentity(identity),
  );
  logger.notice(`dropped privileges to ${identity.text}`);
  if (identity.uid === 0) {
    logger.warning(`user ${username} (--username) keeps all privileges`);
  }
}

function during(step: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new Error(`Cannot ${step}: ${reasonOf(cause)}`, { cause });
  }
}
