// Capabilities of the calling thread: each one has its own (capabilities(7)).

import type { ProcessLibc } from "./libc.ts";

// include/uapi/linux/capability.h
const VERSION_3 = 0x20080522;
// struct __user_cap_header_struct { __u32 version; int pid; }
const HEADER_LENGTH = 2;
// struct __user_cap_data_struct { __u32 effective, permitted, inheritable; },
// one for each 32 capabilities
const DATA_LENGTH = 3;
const SETS = 2;
const EFFECTIVE_AT = 0;
const PERMITTED_AT = 1;
const INHERITABLE_AT = 2;
const BITS = 32;

/** With them go ambient capabilities. */
export function limitInheritable(
  libc: ProcessLibc,
  kept: readonly number[],
): void {
  const { capget, capset } = libc.process;
  const header = newHeader();
  const data = new Uint32Array(SETS * DATA_LENGTH);
  if (capget(header, data) !== 0) return;
  for (let set = 0; set < SETS; set++) {
    const at = set * DATA_LENGTH + INHERITABLE_AT;
    data[at] = (data[at] ?? 0) & maskOf(kept, set);
  }
  capset(header, data);
}

/**
 * After a change of identity with PR_SET_KEEPCAPS: of all that were permitted
 * these alone stay, and are in force.
 * @throws {SystemError} `EPERM` if one was not permitted before.
 */
export function keepCapabilities(
  libc: ProcessLibc,
  kept: readonly number[],
): void {
  const data = new Uint32Array(SETS * DATA_LENGTH);
  for (let set = 0; set < SETS; set++) {
    const at = set * DATA_LENGTH;
    data[at + EFFECTIVE_AT] = maskOf(kept, set);
    data[at + PERMITTED_AT] = maskOf(kept, set);
  }
  if (libc.process.capset(newHeader(), data) === 0) return;
  throw libc.error("keep capabilities", "capset");
}

function newHeader(): Uint32Array<ArrayBuffer> {
  const header = new Uint32Array(HEADER_LENGTH);
  header[0] = VERSION_3;
  return header;
}

/** @param set The first or the second 32 of them. */
function maskOf(capabilities: readonly number[], set: number): number {
  return capabilities
    .filter((capability) => Math.floor(capability / BITS) === set)
    .reduce((mask, capability) => mask | (1 << (capability % BITS)), 0);
}
