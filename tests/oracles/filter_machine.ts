/** The machine of the classic BPF (Documentation/networking/filter.rst). */
import type { Instruction } from "../../ffi/classic_bpf.ts";

/** struct seccomp_data of linux/seccomp.h */
interface SystemCall {
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

/** What a filter says of a call: the kernel's SECCOMP_RET_… and its data. */
export function runFilter(
  program: readonly Instruction[],
  { arch, number, args = [] }: SystemCall,
): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, arch, true);
  args.forEach((arg, k) => data.setBigInt64(16 + 8 * k, arg, true));
  let accumulator = 0;
  for (let at = 0;;) {
    const instruction = program[at++];
    if (instruction === undefined) throw new Error("it runs off its end");
    const [code, then, otherwise, k] = instruction;
    const jump = (holds: boolean) => at += holds ? then : otherwise;
    if (code === 0x20) accumulator = data.getUint32(k, true);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) jump(accumulator === k >>> 0);
    else if (code === 0x35) jump(accumulator >= k);
    else if (code === 0x06) return k;
    else throw new Error(`it has code ${code}`);
  }
}
