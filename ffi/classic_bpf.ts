// Programs of the classic BPF, which sockets and seccomp(2) take
// (Documentation/networking/filter.rst of Linux).

import type { Arena } from "./memory.ts";

// struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; } of linux/filter.h
const INSTRUCTION_SIZE = 8;

/** struct sock_fprog { u16 len; struct sock_filter *filter; } */
export const PROGRAM_SIZE = 16;
const FILTER_AT = 8;

/** Code, jump if true, jump if false, operand. */
export type Instruction = readonly [number, number, number, number];

/**
 * @returns The offset of its struct sock_fprog. The kernel knows the
 * instructions by address only: the arena must live until it has them.
 */
export function writeProgram(
  arena: Arena,
  instructions: readonly Instruction[],
): number {
  const program = arena.take(PROGRAM_SIZE);
  const filter = arena.take(instructions.length * INSTRUCTION_SIZE);
  arena.view.setUint16(program, instructions.length, true);
  arena.storeAddress(program + FILTER_AT, filter);
  instructions.forEach(([code, then, otherwise, operand], index) => {
    const at = filter + index * INSTRUCTION_SIZE;
    arena.view.setUint16(at, code, true);
    arena.view.setUint8(at + 2, then);
    arena.view.setUint8(at + 3, otherwise);
    arena.view.setUint32(at + 4, operand, true);
  });
  return program;
}
