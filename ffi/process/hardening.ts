// Restrictions of a process for the rest of its life.

import { type Instruction, writeProgram } from "../classic_bpf.ts";
import { failureText } from "../errno.ts";
import { PR } from "../flags.ts";
import { Arena } from "../memory.ts";
import type { ProcessLibc } from "./libc.ts";
import { filterPrograms } from "./syscall_filter.ts";
import {
  allowedCalls,
  type Architecture,
  type SandboxNeeds,
} from "./syscalls.ts";

// include/uapi/linux/seccomp.h
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
/** What it denies goes to the kernel's log, or to auditd. */
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
 * other capabilities. Does nothing without the capability to do so.
 */
export function limitBoundingSet(
  libc: ProcessLibc,
  kept: readonly number[] = [],
): void {
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    if (kept.includes(capability)) continue;
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
  return failureText("prctl", libc.errno());
}

/**
 * Allows all threads no more than the calls that a daemon makes, and sets
 * no_new_privs in them as this thread has it. The kernel logs what it denies,
 * and counts nothing. Who could count would have to be another process: with
 * SECCOMP_RET_USER_NOTIF one that may also let a denied call pass.
 * @returns undefined, or why the kernel does not do that.
 */
export function confine(
  libc: ProcessLibc,
  needs: SandboxNeeds,
): string | undefined {
  const { arch } = Deno.build;
  const { expected, unexpected } = filterPrograms(
    arch,
    allowedCalls(arch, needs, Deno.pid),
  );
  // Last the one that denies seccomp(2) itself.
  return filter(libc, expected, 0) ??
    filter(libc, unexpected, SECCOMP_FILTER_FLAG_LOG);
}

function filter(
  libc: ProcessLibc,
  instructions: readonly Instruction[],
  flags: number,
): string | undefined {
  const arena = new Arena(65536);
  const program = writeProgram(arena, instructions);
  const result = libc.process.syscall(
    SECCOMP_CALL[Deno.build.arch],
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW | flags,
    arena.pointer(program),
  );
  if (result < 0) return failureText("seccomp", libc.errno());
  // The kernel knows the program by address only: it must live until now.
  arena.check(0, 0);
  return result === 0 ? undefined : `thread ${result} has a filter of its own`;
}
