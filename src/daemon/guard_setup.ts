// Words between a daemon and the guard of its announcement.
import type { Identity } from "../../ffi/process/identity.ts";
import type { GuardLog } from "./guard_log.ts";

/** Set in the environment of a guard: {@linkcode GuardSetup} as JSON. */
export const GUARD_VARIABLE = "ANYTUN_GUARD";

/** The first descriptors that a process is given. */
export const GUARD_FD = 3;
export const SCRIPT_FD = 4;

/**
 * What the daemon says: its main thread is alive, or it ends by itself. Threads
 * of its data plane say which they are (`threadBeat` of src/tunnel/plane.ts).
 */
export const BEAT = ".";
export const END = "end";
/** What the guard says. */
export const READY = "ready";
export const WITHDRAWN = "withdrawn";
export const FAILED = "failed ";

export interface GuardSetup {
  readonly device: string | null;
  readonly addresses: readonly {
    readonly bytes: readonly number[];
    readonly length: number;
  }[];
  /** Without a beat for so long whoever carries hangs, in milliseconds. */
  readonly patience: number;
  /** The main thread, where others carry, in milliseconds. */
  readonly mainPatience: number;
  /** That the daemon changes to, if it does. */
  readonly identity: Identity | null;
  readonly hasScript: boolean;
  readonly isConfined: boolean;
  readonly log: GuardLog;
}
