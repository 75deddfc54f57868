// Functions of the C library that a daemon needs at its start. Apart from
// `libc.ts`, which every thread opens.

import { type Libc, openCLibrary, openLibc } from "../libc.ts";
import { FILE_SYMBOLS } from "./file_symbols.ts";
import { SPAWN_SYMBOLS } from "./spawn_symbols.ts";

const SYMBOLS = {
  ...SPAWN_SYMBOLS,
  ...FILE_SYMBOLS,

  // Identity
  getpwnam: {
    parameters: ["buffer" /* const char *name */],
    result: "pointer",
  },
  getgrnam: {
    parameters: ["buffer" /* const char *name */],
    result: "pointer",
  },
  getgrgid: {
    parameters: ["u32" /* gid_t gid */],
    result: "pointer",
  },
  setgroups: {
    parameters: [
      "u32", // size_t size
      "buffer", // const gid_t *list
    ],
    result: "i32",
  },
  setgid: {
    parameters: ["u32" /* gid_t gid */],
    result: "i32",
  },
  setuid: {
    parameters: ["u32" /* uid_t uid */],
    result: "i32",
  },
  geteuid: {
    parameters: [],
    result: "u32",
  },
  getegid: {
    parameters: [],
    result: "u32",
  },

  // Memory
  malloc_trim: {
    parameters: ["u32" /* size_t pad */],
    result: "i32",
    optional: true, // glibc has it, musl has not
  },
  madvise: {
    parameters: [
      "pointer", // void *addr
      "u64", // size_t length
      "i32", // int advice
    ],
    result: "i32",
  },
  mmap: {
    parameters: [
      "u64", // void *addr
      "u64", // size_t length
      "i32", // int prot
      "i32", // int flags
      "i32", // int fd
      "i64", // off_t offset
    ],
    result: "u64",
  },
  getauxval: {
    parameters: ["u64" /* unsigned long type */],
    result: "u64",
  },

  // Hardening
  signal: {
    parameters: [
      "i32", // int signum
      "usize", // sighandler_t handler
    ],
    result: "isize", // sighandler_t; SIG_ERR is -1
  },
  prctlNumber: {
    name: "prctl",
    parameters: [
      "i32", // int option
      "u32", // unsigned long arg2
      "u32", // unsigned long arg3
      "u32", // unsigned long arg4
      "u32", // unsigned long arg5
    ],
    result: "i32",
  },
  capget: {
    parameters: [
      "buffer", // cap_user_header_t hdrp
      "buffer", // cap_user_data_t datap
    ],
    result: "i32",
  },
  capset: {
    parameters: [
      "buffer", // cap_user_header_t hdrp
      "buffer", // const cap_user_data_t datap
    ],
    result: "i32",
  },
  // The C library has no names for seccomp(2) and Landlock.
  syscall: {
    parameters: [
      "u32", // long number
      "u32", // unsigned int operation
      "u32", // unsigned int flags
      "pointer", // void *args
    ],
    result: "i32",
  },

  // Surroundings
  chroot: {
    parameters: ["buffer" /* const char *path */],
    result: "i32",
  },
  chdir: {
    parameters: ["buffer" /* const char *path */],
    result: "i32",
  },
  getcwd: {
    parameters: [
      "buffer", // char *buf
      "u32", // size_t size
    ],
    result: "pointer",
  },
  prctl: {
    parameters: [
      "i32", // int option
      "buffer", // unsigned long arg2
    ],
    result: "i32",
  },
  strerror: {
    parameters: ["i32" /* int errnum */],
    result: "pointer",
  },
  if_nametoindex: {
    parameters: ["buffer" /* const char *ifname */],
    result: "u32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

export type ProcessSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

export interface ProcessLibc extends Libc {
  readonly process: ProcessSymbols;
}

/** Throws as {@linkcode openLibc}. */
export function openProcessLibc(): ProcessLibc {
  const libc = openLibc();
  const library = openCLibrary(SYMBOLS);
  return {
    ...libc,
    process: library.symbols,
    close() {
      library.close();
      libc.close();
    },
  };
}

/**
 * Such as "No such file or directory", for messages that people and scripts
 * know in these words.
 */
export function errorText(libc: ProcessLibc, errno: number): string {
  const text = libc.process.strerror(errno);
  return text === null
    ? `error ${errno}`
    : Deno.UnsafePointerView.getCString(text);
}
