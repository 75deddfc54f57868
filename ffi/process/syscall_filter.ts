// Filters of system calls: programs of the classic BPF for seccomp(2).

import type { Instruction } from "../classic_bpf.ts";
import { Errno } from "../errno.ts";
import type { AllowedCalls, Architecture, Way } from "./syscalls.ts";

// include/uapi/linux/bpf_common.h
const BPF_LD_W_ABS = 0x20;
const BPF_ALU_AND = 0x54;
const BPF_JMP_JA = 0x05;
const BPF_JMP_JEQ = 0x15;
const BPF_JMP_JGE = 0x35;
const BPF_RET = 0x06;
const LONGEST_JUMP = 255;

// include/uapi/linux/seccomp.h
const SECCOMP_RET_ALLOW = 0x7fff0000;
const SECCOMP_RET_ERRNO = 0x00050000;

// struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer, args[6]; }
const NUMBER_AT = 0;
const ARCH_AT = 4;
const ARGUMENTS_AT = 16;
const ARGUMENT_SIZE = 8;
const HIGH_AT = 4;

/** include/uapi/linux/audit.h */
const AUDIT_ARCH: Readonly<Record<Architecture, number>> = {
  x86_64: 0xc000003e,
  aarch64: 0xc00000b7,
};

/**
 * The first number that is the same on all architectures (Linux 5.1). What was
 * made since then is "not implemented" unless it is allowed: C library and
 * runtime know what to do instead, as on an older kernel. Above all clone3(),
 * whose flags a filter cannot see: clone() comes in its place. An EPERM they
 * would take for the last word.
 */
const NEW_CALLS = 424;

/** Numbers from here on are those of x32: other names of the same calls. */
const X32_CALLS = 0x40000000;

const ALLOW: Instruction = [BPF_RET, 0, 0, SECCOMP_RET_ALLOW];
const DENY: Instruction = [BPF_RET, 0, 0, SECCOMP_RET_ERRNO | Errno.EPERM];
const UNKNOWN: Instruction = [BPF_RET, 0, 0, SECCOMP_RET_ERRNO | Errno.ENOSYS];

type Code = readonly Instruction[];

/** What happens from a number on, up to that of the next section. */
interface Section {
  readonly from: number;
  readonly code: Code;
}

/**
 * What is to be expected is denied by a filter of its own, since the kernel logs
 * all that a filter denies, or nothing. The stricter answer of both holds.
 */
interface Filters {
  /** Of what C library and runtime try and do without: not to be logged. */
  readonly expected: Code;
  /** Of all else that is not allowed. */
  readonly unexpected: Code;
}

/** Another architecture (i386 on x86-64) has other numbers: all are denied. */
export function filterPrograms(
  arch: Architecture,
  calls: AllowedCalls,
): Filters {
  const program = (other: Instruction, codeFor: CodeFor): Code => [
    [BPF_LD_W_ABS, 0, 0, ARCH_AT],
    [BPF_JMP_JEQ, 1, 0, AUDIT_ARCH[arch]],
    other,
    [BPF_LD_W_ABS, 0, 0, NUMBER_AT],
    ...search(sectionsOf(calls, codeFor)),
  ];
  return {
    expected: program(ALLOW, expectedCode),
    unexpected: program(DENY, unexpectedCode),
  };
}

type CodeFor = (number: number, calls: AllowedCalls) => Code;

function sectionsOf(
  calls: AllowedCalls,
  codeFor: CodeFor,
): readonly Section[] {
  const starts = new Set([0, NEW_CALLS, X32_CALLS]);
  for (const number of calls.keys()) starts.add(number).add(number + 1);
  const sections: Section[] = [];
  for (const from of [...starts].toSorted((a, b) => a - b)) {
    const code = codeFor(from, calls);
    // Neighbours that have the same end are one.
    if (sections.at(-1)?.code !== code) sections.push({ from, code });
  }
  return sections;
}

const ALLOWED: Code = [ALLOW];
const DENIED: Code = [DENY];
const NOT_IMPLEMENTED: Code = [UNKNOWN];

const expectedCode: CodeFor = (number, calls) => {
  const expected = calls.get(number)?.expected;
  if (expected !== undefined) {
    return [...expected.flatMap((way) => wayCode(way, DENIED)), ALLOW];
  }
  return isNew(number) && !calls.has(number) ? NOT_IMPLEMENTED : ALLOWED;
};

const unexpectedCode: CodeFor = (number, calls) => {
  const rule = calls.get(number);
  if (rule !== undefined) {
    const { ways, expected = [] } = rule;
    const passed = [...ways, ...expected];
    return [...passed.flatMap((way) => wayCode(way, ALLOWED)), DENY];
  }
  return calls.has(number) || isNew(number) ? ALLOWED : DENIED;
};

function isNew(number: number): boolean {
  return number >= NEW_CALLS && number < X32_CALLS;
}

/** A binary search: kernels before 5.11 go through it with each call. */
function search(sections: readonly Section[]): Code {
  const middle = sections.length >> 1;
  const start = sections[middle];
  if (start === undefined || middle === 0) return start?.code ?? DENIED;
  const below = search(sections.slice(0, middle));
  const above = search(sections.slice(middle));
  return below.length <= LONGEST_JUMP
    ? [[BPF_JMP_JGE, below.length, 0, start.from], ...below, ...above]
    : [
      [BPF_JMP_JGE, 0, 1, start.from],
      [BPF_JMP_JA, 0, 0, below.length],
      ...below,
      ...above,
    ];
}

/** Comes out behind its last instruction unless the conditions hold. */
function wayCode(way: Way, end: Code): Code {
  let code = end;
  for (const { argument, half, mask, values } of way.toReversed()) {
    const at = ARGUMENTS_AT + argument * ARGUMENT_SIZE +
      (half === "high" ? HIGH_AT : 0);
    const rest = code.length;
    const tests = values.map((value, k): Instruction => {
      const left = values.length - 1 - k;
      return [BPF_JMP_JEQ, left, left === 0 ? rest : 0, value];
    });
    code = [
      [BPF_LD_W_ABS, 0, 0, at],
      ...(mask === undefined ? [] : [[BPF_ALU_AND, 0, 0, mask] as const]),
      ...tests,
      ...code,
    ];
  }
  return code;
}
