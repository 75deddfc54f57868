// Limits that programs inherit from the thread that executes them, and so all
// of their threads: no call gives them to threads that there are already.

import { limitInheritable } from "./capabilities.ts";
import { forbidPrivileges, limitBoundingSet } from "./hardening.ts";
import { confineProgramFiles, type WritablePlaces } from "./landlock.ts";
import type { ProcessLibc } from "./libc.ts";

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
