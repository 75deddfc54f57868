/**
 * A C library some calls of which fail, or before one of which the process is
 * killed, for what is kept on a disk.
 *
 * @module
 */
import { Errno, SystemError } from "../../ffi/errno.ts";
import { O } from "../../ffi/flags.ts";
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

const READ = O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.CLOEXEC;

export interface Step {
  readonly call: string;
  readonly step: number;
}

/** Counts steps, and lets some not happen. */
export class MortalLibc {
  readonly libc: ProcessLibc;
  readonly #real = openProcessLibc();
  /** How many steps came so far. */
  steps = 0;
  /** Those of them that could change what the next process sees, or fail. */
  readonly changes: Step[] = [];
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

  #count(call: string, args: readonly unknown[]): void {
    const step = this.steps++;
    if (step >= this.killAt) throw new Killed();
    if (isChange(call, args)) this.changes.push({ call, step });
    this.#hasFailed = this.fails(step) && !isGivingBack(args[2]);
  }

  #guard<T extends object>(symbols: T): T {
    return new Proxy(symbols, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        const syscall = STEPS.find((step) => step === name);
        if (syscall === undefined || typeof call !== "function") return call;
        return (...args: unknown[]) => {
          this.#count(syscall, args);
          if (this.#hasFailed) return -1;
          // What is on the disk no test sees, and it takes its time.
          return syscall === "fsync" ? 0 : call(...args);
        };
      },
    });
  }
}

/** What is left beside a file is removed, and never looked at. */
function isChange(syscall: string, args: readonly unknown[]): boolean {
  const isRead = syscall === "openat" && args[2] === READ;
  return !isRead && syscall !== "unlinkat";
}

/** Of a lock: that cannot fail. */
function isGivingBack(lock: unknown): boolean {
  return lock instanceof Uint8Array && lock.length === 32 && lock[0] === 2;
}
