/**
 * A C library some calls of which fail, or before one of which the process is
 * killed, for what is kept on a disk.
 *
 * @module
 */
import { Errno, SystemError } from "../../ffi/errno.ts";
import { openProcessLibc, type ProcessLibc } from "../../ffi/process/libc.ts";

/** Thrown in place of a call that never comes. */
export class Killed extends Error {}

/** The calls that change something on the disk, or lock it. */
const STEPS = [
  "openat",
  "write",
  "fsync",
  "renameat",
  "fcntlLock",
  "unlinkat",
] as const;

/** Counts steps, and lets some not happen. */
export class MortalLibc {
  readonly libc: ProcessLibc;
  readonly #real = openProcessLibc();
  /** How many steps came so far. */
  steps = 0;
  /** The step before which the process is killed; it does nothing more. */
  killAt = Infinity;
  /** Steps that fail. */
  fails: (step: number) => boolean = () => false;
  #hasFailed = false;

  constructor() {
    const real = this.#real;
    this.libc = {
      ...real,
      symbols: this.#guard(real.symbols),
      process: this.#guard(real.process),
      error: (what, syscall) =>
        this.#hasFailed
          ? new SystemError(what, syscall, Errno.ENOSPC)
          : real.error(what, syscall),
    };
  }

  [Symbol.dispose](): void {
    this.#real.close();
  }

  #guard<T extends object>(symbols: T): T {
    return new Proxy(symbols, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        const isStep = STEPS.some((step) => step === name);
        if (!isStep || typeof call !== "function") return call;
        return (...args: unknown[]) => {
          const step = this.steps++;
          if (step >= this.killAt) throw new Killed();
          this.#hasFailed = this.fails(step) && !isGivingBack(args[2]);
          return this.#hasFailed ? -1 : call(...args);
        };
      },
    });
  }
}

/** Of a lock: that cannot fail. */
function isGivingBack(lock: unknown): boolean {
  return lock instanceof Uint8Array && lock.length === 32 && lock[0] === 2;
}
