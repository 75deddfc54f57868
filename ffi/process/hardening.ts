// Restrictions of a process for the rest of its life.

import { writeProgram } from "../classic_bpf.ts";
import { errnoName } from "../errno.ts";
import { PR } from "../flags.ts";
import { Arena } from "../memory.ts";
import type { Denials } from "./denials.ts";
import type { ProcessLibc } from "./libc.ts";
import { filterProgram } from "./syscall_filter.ts";
import {
  allowedCalls,
  type Architecture,
  type SandboxNeeds,
} from "./syscalls.ts";

// include/uapi/linux/seccomp.h
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const SECCOMP_FILTER_FLAG_LOG = 2;
/** Without a mitigation that is slow on old kernels. */
const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;

const SECCOMP_CALL: Readonly<Record<Architecture, number>> = {
  x86_64: 317,
  aarch64: 277,
};

/** More than there are: the kernel refuses the first too many. */
const CAPABILITIES = 64;

/**
 * No core, and neither ptrace nor /proc/pid/mem for its own user. To be called
 * again after a change of identity. /proc/self belongs to root from then on.
 */
export function hideMemory(libc: ProcessLibc): void {
  if (libc.process.prctlNumber(PR.SET_DUMPABLE, 0, 0, 0, 0) !== 0) {
    throw libc.error("hide the memory of the process", "prctl");
  }
}

/**
 * For this thread and those that it starts: no program they execute can gain
 * capabilities. Does nothing without the capability to do so.
 */
export function emptyBoundingSet(libc: ProcessLibc): void {
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    libc.process.prctlNumber(PR.CAPBSET_DROP, capability, 0, 0, 0);
  }
}

/**
 * This thread cannot gain privileges by a program that has some.
 * @returns undefined, or why the kernel does not do that.
 */
export function forbidPrivileges(libc: ProcessLibc): string | undefined {
  const { prctlNumber } = libc.process;
  if (prctlNumber(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0) === 0) return undefined;
  return `prctl() failed with ${errnoName(libc.errno())}`;
}

/**
 * Allows all threads no more than the calls that a daemon makes, and sets
 * no_new_privs in them as this thread has it.
 * @returns undefined, or why the kernel does not do that.
 */
export function confine(
  libc: ProcessLibc,
  needs: SandboxNeeds,
  denials: Denials | undefined,
): string | undefined {
  const { arch } = Deno.build;
  const calls = allowedCalls(arch, needs, Deno.pid);
  const arena = new Arena(65536);
  const program = writeProgram(
    arena,
    filterProgram(arch, calls, denials !== undefined),
  );
  // What is not counted is at least in the system's audit log, if it has one.
  const log = denials === undefined ? SECCOMP_FILTER_FLAG_LOG : 0;
  const result = libc.process.syscall(
    SECCOMP_CALL[arch],
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW | log,
    arena.pointer(program),
  );
  if (result < 0) return `seccomp() failed with ${errnoName(libc.errno())}`;
  // The kernel knows the program by address only: it must live until now.
  arena.check(0, 0);
  return result === 0 ? undefined : `thread ${result} has a filter of its own`;
}
