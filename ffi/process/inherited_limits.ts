// Limits that programs inherit from the thread that executes them, and so all
// of their threads: no call gives them to threads that there are already.

import { forbidPrivileges, limitBoundingSet } from "./hardening.ts";
import { confineProgramFiles, type WritablePlaces } from "./landlock.ts";
import type { ProcessLibc } from "./libc.ts";

// include/uapi/linux/capability.h
const VERSION_3 = 0x20080522;
// struct __user_cap_header_struct { __u32 version; int pid; }
const HEADER_LENGTH = 2;
// struct __user_cap_data_struct { __u32 effective, permitted, inheritable; },
// one for each 32 capabilities
const DATA_LENGTH = 3;
const SETS = 2;
const INHERITABLE_AT = 2;
const BITS = 32;

export interface InheritedLimits {
  /** At most these, of those that this thread can pass on. */
  readonly capabilities: readonly number[];
  readonly places: WritablePlaces;
}

/**
 * For programs that this thread executes. It keeps its own capabilities, and no
 * more places than they have.
 * @returns undefined, or why their files are not restricted.
 */
export function limitPrograms(
  libc: ProcessLibc,
  { capabilities, places }: InheritedLimits,
): string | undefined {
  limitInheritable(libc, capabilities);
  limitBoundingSet(libc, capabilities);
  return forbidPrivileges(libc) ?? confineProgramFiles(libc, places);
}

/** With them go ambient capabilities, capabilities(7). */
function limitInheritable(libc: ProcessLibc, kept: readonly number[]): void {
  const { capget, capset } = libc.process;
  const header = new Uint32Array(HEADER_LENGTH);
  header[0] = VERSION_3;
  const data = new Uint32Array(SETS * DATA_LENGTH);
  if (capget(header, data) !== 0) return;
  for (let set = 0; set < SETS; set++) {
    const mask = kept.filter((capability) =>
      Math.floor(capability / BITS) === set
    ).reduce((mask, capability) => mask | (1 << (capability % BITS)), 0);
    const at = set * DATA_LENGTH + INHERITABLE_AT;
    data[at] = (data[at] ?? 0) & mask;
  }
  capset(header, data);
}
