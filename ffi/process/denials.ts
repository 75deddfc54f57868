// Counts of denied system calls. The kernel keeps none of what a filter answers
// with an error, and a supervisor that is asked for each (SECCOMP_RET_USER_NOTIF)
// would be a thread of ours: one that waits for itself when it is denied
// something. So the filter raises SIGSYS, and a handler counts and has the call
// fail as if the filter had said so. It is machine code, since it runs in any
// thread and at any time, when JavaScript cannot.

import type { ProcessLibc } from "./libc.ts";

// include/uapi/asm-generic/signal.h, siginfo.h
const SIGSYS = 31;
const SA_SIGINFO = 4;
const SA_ONSTACK = 0x08000000;
const SA_RESTART = 0x10000000;

// struct sigaction of the C library, <bits/sigaction.h>
const ACTION_SIZE = 152;
const HANDLER_AT = 0;
const FLAGS_AT = 136;

// include/uapi/asm-generic/mman-common.h
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;

/** Of memory protection: a page of code, and one of counters behind it. */
const PAGE_SIZE = 4096;
/** Numbers above share places with those below; there are none today. */
const COUNTERS = PAGE_SIZE / 4;

/**
 * void handler(int, siginfo_t *rsi, ucontext_t *rdx), all in registers that a
 * function may use.
 */
const HANDLER_X86 = [
  ...[0x8b, 0x46, 0x18], // mov eax, [rsi + 24] (si_syscall)
  ...[0x25, 0xff, 0x03, 0x00, 0x00], // and eax, COUNTERS - 1
  ...[0x48, 0x8d, 0x0d, 0xf1, 0x0f, 0x00, 0x00], // lea rcx, [rip + counters]
  ...[0xf0, 0xff, 0x04, 0x81], // lock inc dword [rcx + rax * 4]
  ...[0x8b, 0x46, 0x04], // mov eax, [rsi + 4] (si_errno: what the filter says)
  ...[0xf7, 0xd8], // neg eax
  ...[0x48, 0x98], // cdqe
  ...[0x48, 0x89, 0x82, 0x90, 0x00, 0x00, 0x00], // mov [rdx + 144], rax (REG_RAX)
  0xc3, // ret
];

export class Denials {
  readonly #counters: Uint32Array;

  private constructor(counters: Uint32Array) {
    this.#counters = counters;
  }

  /**
   * Handles SIGSYS from now on. The memory is never freed.
   * @returns undefined where there is no handler for the processor, or no memory.
   */
  static watch(libc: ProcessLibc): Denials | undefined {
    if (Deno.build.arch !== "x86_64") return undefined;
    const { mmap, mprotect } = libc.process;
    const access = PROT_READ | PROT_WRITE;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS;
    const address = mmap(0n, BigInt(2 * PAGE_SIZE), access, flags, -1, 0n);
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null || BigInt.asIntN(64, address) < 0n) return undefined;
    const memory = Deno.UnsafePointerView.getArrayBuffer(
      pointer,
      2 * PAGE_SIZE,
    );
    new Uint8Array(memory).set(HANDLER_X86);
    if (mprotect(address, BigInt(PAGE_SIZE), PROT_READ | PROT_EXEC) !== 0) {
      return undefined;
    }
    if (!handle(libc, address)) return undefined;
    return new Denials(new Uint32Array(memory, PAGE_SIZE, COUNTERS));
  }

  /** Times that each call was denied, by its number. */
  counts(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    this.#counters.forEach((count, number) => {
      if (count > 0) counts.set(number, count);
    });
    return counts;
  }
}

function handle(libc: ProcessLibc, handler: bigint): boolean {
  const action = new DataView(new ArrayBuffer(ACTION_SIZE));
  action.setBigUint64(HANDLER_AT, handler, true);
  action.setInt32(FLAGS_AT, SA_SIGINFO | SA_ONSTACK | SA_RESTART, true);
  const bytes = new Uint8Array(action.buffer);
  return libc.process.sigaction(SIGSYS, bytes, null) === 0;
}
