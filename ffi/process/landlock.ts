// Files that a process may change: Landlock, landlock(7).

import { failureText } from "../errno.ts";
import { O } from "../flags.ts";
import { cString, openCLibrary } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";
import type { SandboxNeeds } from "./syscalls.ts";

/** Variadic: a table of its own, with the parameters of each call. */
const SYMBOLS = {
  createRuleset: {
    name: "syscall",
    parameters: [
      "u32", // long number
      "buffer", // const struct landlock_ruleset_attr *attr
      "usize", // size_t size
      "u32", // __u32 flags
    ],
    result: "i32",
  },
  addRule: {
    name: "syscall",
    parameters: [
      "u32", // long number
      "i32", // int ruleset_fd
      "u32", // enum landlock_rule_type rule_type
      "buffer", // const void *rule_attr
      "u32", // __u32 flags
    ],
    result: "i32",
  },
  restrictSelf: {
    name: "syscall",
    parameters: [
      "u32", // long number
      "i32", // int ruleset_fd
      "u32", // __u32 flags
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

// The same on all architectures.
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;

// include/uapi/linux/landlock.h
const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const RESTRICT_SELF_TSYNC = 1 << 3;
/** Linux 7.0: the first that restricts the threads that there are already. */
const TSYNC_VERSION = 8;
const REFER_VERSION = 2;
const TRUNCATE_VERSION = 3;

/** LANDLOCK_ACCESS_FS_… */
const ACCESS = {
  EXECUTE: 1 << 0,
  WRITE_FILE: 1 << 1,
  REMOVE_DIR: 1 << 4,
  REMOVE_FILE: 1 << 5,
  MAKE_CHAR: 1 << 6,
  MAKE_DIR: 1 << 7,
  MAKE_REG: 1 << 8,
  MAKE_SOCK: 1 << 9,
  MAKE_FIFO: 1 << 10,
  MAKE_BLOCK: 1 << 11,
  MAKE_SYM: 1 << 12,
  REFER: 1 << 13,
  TRUNCATE: 1 << 14,
} as const;

/** All but reading: names are looked up in files that nobody here can list. */
const CHANGES = Object.values(ACCESS).reduce((all, one) => all | one);
const APPENDING = ACCESS.WRITE_FILE | ACCESS.MAKE_REG;
const WRITING = APPENDING | ACCESS.REMOVE_FILE | ACCESS.TRUNCATE;

/** struct landlock_path_beneath_attr { __u64 allowed_access; __s32 parent_fd; } */
const RULE_SIZE = 12;
const PARENT_AT = 8;

/** What is open, or what a path leads to if it leads anywhere. */
interface FileRule {
  readonly at: number | string;
  readonly access: number;
}

/**
 * Leaves no file to be changed but those in folders that are needed; what is
 * open stays as it is. Needs no_new_privs or privileges.
 * @param flags By default for all threads; without it for this thread, and
 * those that it starts.
 * @returns undefined, or why the kernel does not do that.
 */
export function confineFiles(
  libc: ProcessLibc,
  { appended, written, removedFrom }: SandboxNeeds,
  flags: number = RESTRICT_SELF_TSYNC,
  open: () => Landlock = openLandlock,
): string | undefined {
  const rules = [
    ...appended.map((at) => ({ at, access: APPENDING })),
    ...removedFrom.map((at) => ({ at, access: ACCESS.REMOVE_FILE })),
    ...written.map((at) => ({ at, access: WRITING })),
  ];
  return restrict(libc, { changes: CHANGES, rules, flags }, open);
}

/** Where a program that is executed may change files. */
export interface WritablePlaces {
  /** Folders in which files are opened to grow. */
  readonly appended: readonly string[];
  /** Folders in which files and sockets are made, replaced and removed. */
  readonly written: readonly string[];
  readonly devices: readonly string[];
}

/**
 * The same for this thread, and for all threads of programs that it executes.
 * Which ones these are is not restricted.
 * @returns undefined, or why the kernel does not do that.
 */
export function confineProgramFiles(
  libc: ProcessLibc,
  { appended, written, devices }: WritablePlaces,
  open: () => Landlock = openLandlock,
): string | undefined {
  const rules = [
    ...appended.map((at) => ({ at, access: APPENDING })),
    ...written.map((at) => ({ at, access: WRITING | ACCESS.MAKE_SOCK })),
    ...devices.map((at) => ({ at, access: ACCESS.WRITE_FILE })),
  ];
  const changes = CHANGES & ~ACCESS.EXECUTE;
  return restrict(libc, { changes, rules, flags: 0 }, open);
}

interface Restriction {
  readonly changes: number;
  readonly rules: readonly FileRule[];
  readonly flags: number;
}

function restrict(
  libc: ProcessLibc,
  { changes, rules, flags }: Restriction,
  open: () => Landlock,
): string | undefined {
  const { symbols, close } = open();
  const failed = (call: string) =>
    failureText(`landlock_${call}`, libc.errno());
  let ruleset = -1;
  try {
    const { createRuleset, restrictSelf } = symbols;
    const version = createRuleset(
      CREATE_RULESET,
      null,
      0n,
      CREATE_RULESET_VERSION,
    );
    if (version < 0) return failed("create_ruleset");
    if ((flags & RESTRICT_SELF_TSYNC) !== 0 && version < TSYNC_VERSION) {
      return `Landlock of this kernel (version ${version}) restricts single ` +
        `threads only; it takes version ${TSYNC_VERSION}, Linux 7.0`;
    }
    const known = changes & ~newerThan(version);
    const handled = BigUint64Array.of(BigInt(known));
    ruleset = createRuleset(CREATE_RULESET, handled, 8n, 0);
    if (ruleset < 0) return failed("create_ruleset");
    const allows = rules.every(({ at, access }) =>
      typeof at === "number"
        ? allow(symbols, ruleset, at, access & known)
        : allowPath(libc, symbols, ruleset, at, access & known)
    );
    // Rather none than one that a daemon fails in later.
    if (!allows) return failed("add_rule");
    if (restrictSelf(RESTRICT_SELF, ruleset, flags) === 0) return undefined;
    return failed("restrict_self");
  } finally {
    if (ruleset >= 0) libc.symbols.close(ruleset);
    close();
  }
}

/** The kernel refuses rights that it does not know. */
function newerThan(version: number): number {
  return (version < REFER_VERSION ? ACCESS.REFER : 0) |
    (version < TRUNCATE_VERSION ? ACCESS.TRUNCATE : 0);
}

type LandlockSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Its calls, as the C library makes them. */
export interface Landlock {
  readonly symbols: LandlockSymbols;
  close(): void;
}

function openLandlock(): Landlock {
  const library = openCLibrary(SYMBOLS);
  return { symbols: library.symbols, close: () => library.close() };
}

/**
 * What cannot be reached by its path, as in a jail, is not written to by that
 * path either. What is open from before the jail needs a rule of its own.
 */
function allowPath(
  libc: ProcessLibc,
  symbols: LandlockSymbols,
  ruleset: number,
  path: string,
  access: number,
): boolean {
  const fd = libc.symbols.open(cString(path), O.PATH | O.CLOEXEC, 0);
  if (fd < 0) return true;
  try {
    return allow(symbols, ruleset, fd, access);
  } finally {
    libc.symbols.close(fd);
  }
}

function allow(
  { addRule }: LandlockSymbols,
  ruleset: number,
  fd: number,
  access: number,
): boolean {
  const rule = new DataView(new ArrayBuffer(RULE_SIZE));
  rule.setBigUint64(0, BigInt(access), true);
  rule.setInt32(PARENT_AT, fd, true);
  const bytes = new Uint8Array(rule.buffer);
  return addRule(ADD_RULE, ruleset, RULE_PATH_BENEATH, bytes, 0) === 0;
}
