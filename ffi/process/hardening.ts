// Restrictions of a process for the rest of its life.

import { type Instruction, writeProgram } from "../classic_bpf.ts";
import { Errno, errnoName } from "../errno.ts";
import { PR } from "../flags.ts";
import { Arena } from "../memory.ts";
import type { ProcessLibc } from "./libc.ts";

// include/uapi/linux/seccomp.h
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
/** Without a mitigation that is slow on old kernels. */
const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
const SECCOMP_RET_ALLOW = 0x7fff0000;
const SECCOMP_RET_ERRNO = 0x00050000;
// struct seccomp_data { int nr; __u32 arch; … }
const NUMBER_AT = 0;
const ARCH_AT = 4;

// include/uapi/linux/bpf_common.h
const BPF_LD_W_ABS = 0x20;
const BPF_JMP_JEQ = 0x15;
const BPF_JMP_JGE = 0x35;
const BPF_RET = 0x06;

/** include/uapi/linux/audit.h, and the system call tables. */
const ARCHITECTURES = {
  x86_64: { audit: 0xc000003e, execve: 59, execveat: 322, seccomp: 317 },
  aarch64: { audit: 0xc00000b7, execve: 221, execveat: 281, seccomp: 277 },
} as const;

/** Numbers from here on are those of x32, which has its own execve. */
const X32_BIT = 0x40000000;
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
 * Forbids all threads, and whatever they start, to execute a program and to
 * gain privileges by one.
 * @returns undefined, or why the kernel does not do that.
 */
export function forbidExecution(libc: ProcessLibc): string | undefined {
  const { prctlNumber, syscall } = libc.process;
  if (prctlNumber(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) {
    return `prctl() failed with ${errnoName(libc.errno())}`;
  }
  const arena = new Arena(4096);
  const program = writeProgram(arena, instructions());
  const result = syscall(
    ARCHITECTURES[Deno.build.arch].seccomp,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    arena.pointer(program),
  );
  if (result < 0) return `seccomp() failed with ${errnoName(libc.errno())}`;
  // The kernel knows the program by address only: it must live until now.
  arena.check(0, 0);
  return result === 0 ? undefined : `thread ${result} has a filter of its own`;
}

function instructions(): readonly Instruction[] {
  const { audit, execve, execveat } = ARCHITECTURES[Deno.build.arch];
  return [
    [BPF_LD_W_ABS, 0, 0, ARCH_AT],
    // Another architecture has other numbers.
    [BPF_JMP_JEQ, 0, 5, audit],
    [BPF_LD_W_ABS, 0, 0, NUMBER_AT],
    [BPF_JMP_JGE, 3, 0, X32_BIT],
    [BPF_JMP_JEQ, 2, 0, execve],
    [BPF_JMP_JEQ, 1, 0, execveat],
    [BPF_RET, 0, 0, SECCOMP_RET_ALLOW],
    [BPF_RET, 0, 0, SECCOMP_RET_ERRNO | Errno.EPERM],
  ];
}
