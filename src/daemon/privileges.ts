// Loss of privileges: the jail and the identity (CLI section 3).
import { CAP } from "../../ffi/flags.ts";
import type { Identity } from "../../ffi/process/identity.ts";
import type { SandboxNeeds } from "../../ffi/process/syscalls.ts";
import type { DaemonOptions } from "../config/general.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { ProcessControl } from "./process_control.ts";

/** `text` is `user:group`. */
interface NamedIdentity extends Identity {
  readonly text: string;
  /** Capabilities that the main thread keeps, and no other thread. */
  readonly kept?: readonly number[];
}

/**
 * To be called before the jail hides /etc/passwd and /etc/group.
 * @returns undefined if the identity is to stay
 * @throws if one of them does not exist
 */
export function findIdentity(
  { username, groupname }: DaemonOptions,
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
 * Cannot be undone. Unlike in the original, no step may fail.
 * @throws if one does; those before it stay done
 */
export function giveUpPrivileges(
  options: DaemonOptions,
  identity: NamedIdentity | undefined,
  needs: SandboxNeeds,
  control: ProcessControl,
  logger: Logger,
): void {
  if (options.chroot !== undefined || identity !== undefined) {
    during("close the runtime's files", () => control.takeRuntimeFiles());
  }
  control.emptyBoundingSet();
  enterJail(options, control, logger);
  if (identity !== undefined) become(identity, options, control, logger);
  // Again: a change of identity resets it (prctl(2), PR_SET_DUMPABLE).
  during("hide the memory", () => control.hideMemory());
  if (!options.noSandbox) enterSandbox(needs, control, logger);
}

function enterSandbox(
  needs: SandboxNeeds,
  control: ProcessControl,
  logger: Logger,
): void {
  // First: afterwards there are no calls for it.
  const files = control.confineFiles(needs);
  if (files !== undefined) {
    logger.info(`files are protected by their permissions alone: ${files}`);
  }
  const calls = control.confine(needs);
  if (calls === undefined) return;
  logger.warning(`Cannot restrict system calls (see --no-sandbox): ${calls}`);
}

function enterJail(
  { chroot, foreground }: DaemonOptions,
  control: ProcessControl,
  logger: Logger,
): void {
  if (chroot !== undefined) {
    during("enter the jail (--chroot)", () => control.changeRoot(chroot));
    logger.notice(`we are in chroot jail (${chroot}) now`);
  } else if (!foreground) {
    // A working directory keeps its file system from being unmounted.
    during("leave the working directory", () => control.changeDirectory("/"));
  }
}

function become(
  identity: NamedIdentity,
  { username }: DaemonOptions,
  control: ProcessControl,
  logger: Logger,
): void {
  during(
    "drop privileges (--username)",
    () => control.changeIdentity(identity, identity.kept),
  );
  const { kept = [] } = identity;
  const others = kept.length === 0 ? "" : `, but for ${namesOf(kept)}`;
  logger.notice(`dropped privileges to ${identity.text}${others}`);
  if (identity.uid === 0) {
    logger.warning(`user ${username} (--username) keeps all privileges`);
  }
}

function namesOf(capabilities: readonly number[]): string {
  return Object.entries(CAP)
    .filter(([, number]) => capabilities.includes(number))
    .map(([name]) => `CAP_${name}`).join(", ");
}

function during(step: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new Error(`Cannot ${step}: ${reasonOf(cause)}`, { cause });
  }
}
