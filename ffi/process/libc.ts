// Functions of the C library that a daemon needs at its start. Apart from
// `libc.ts`, which every thread opens.

import { type Libc, openCLibrary, openLibc } from "../libc.ts";

const SYMBOLS = {
  // Other processes
  posix_spawn: {
    parameters: [
      "buffer", // pid_t *pid
      "buffer", // const char *path
      "buffer", // const posix_spawn_file_actions_t *file_actions
      "buffer", // const posix_spawnattr_t *attrp
      "pointer", // char *const argv[]
      "pointer", // char *const envp[]
    ],
    result: "i32",
  },
  posix_spawn_file_actions_init: {
    parameters: ["buffer" /* posix_spawn_file_actions_t *file_actions */],
    result: "i32",
  },
  posix_spawn_file_actions_destroy: {
    parameters: ["buffer" /* posix_spawn_file_actions_t *file_actions */],
    result: "i32",
  },
  posix_spawn_file_actions_addopen: {
    parameters: [
      "buffer", // posix_spawn_file_actions_t *file_actions
      "i32", // int fildes
      "buffer", // const char *path
      "i32", // int oflag
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  posix_spawn_file_actions_adddup2: {
    parameters: [
      "buffer", // posix_spawn_file_actions_t *file_actions
      "i32", // int fildes
      "i32", // int newfildes
    ],
    result: "i32",
  },
  // glibc 2.34; there is no other way to keep what is not close-on-exec out.
  posix_spawn_file_actions_addclosefrom_np: {
    parameters: [
      "buffer", // posix_spawn_file_actions_t *file_actions
      "i32", // int from
    ],
    result: "i32",
    optional: true,
  },
  posix_spawnattr_init: {
    parameters: ["buffer" /* posix_spawnattr_t *attr */],
    result: "i32",
  },
  posix_spawnattr_destroy: {
    parameters: ["buffer" /* posix_spawnattr_t *attr */],
    result: "i32",
  },
  posix_spawnattr_setflags: {
    parameters: [
      "buffer", // posix_spawnattr_t *attr
      "i16", // short flags
    ],
    result: "i32",
  },
  posix_spawnattr_setsigdefault: {
    parameters: [
      "buffer", // posix_spawnattr_t *attr
      "buffer", // const sigset_t *sigdefault
    ],
    result: "i32",
  },
  posix_spawnattr_setsigmask: {
    parameters: [
      "buffer", // posix_spawnattr_t *attr
      "buffer", // const sigset_t *sigmask
    ],
    result: "i32",
  },
  sigfillset: {
    parameters: ["buffer" /* sigset_t *set */],
    result: "i32",
  },
  kill: {
    parameters: [
      "i32", // pid_t pid
      "i32", // int sig
    ],
    result: "i32",
  },
  waitpidInBackground: {
    name: "waitpid",
    parameters: [
      "i32", // pid_t pid
      "pointer", // int *wstatus
      "i32", // int options
    ],
    result: "i32",
    nonblocking: true,
  },
  memfd_create: {
    parameters: [
      "buffer", // const char *name
      "u32", // unsigned int flags
    ],
    result: "i32",
  },
  lseek: {
    parameters: [
      "i32", // int fd
      "i64", // off_t offset
      "i32", // int whence
    ],
    result: "i64",
  },
  pipe2: {
    parameters: [
      "buffer", // int pipefd[2]
      "i32", // int flags
    ],
    result: "i32",
  },

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

  // Files by their place in an open folder
  openat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *path
      "i32", // int flags
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  renameat: {
    parameters: [
      "i32", // int olddirfd
      "buffer", // const char *oldpath
      "i32", // int newdirfd
      "buffer", // const char *newpath
    ],
    result: "i32",
  },
  unlinkat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *path
      "i32", // int flags
    ],
    result: "i32",
  },
  fchown: {
    parameters: [
      "i32", // int fd
      "u32", // uid_t owner
      "u32", // gid_t group
    ],
    result: "i32",
  },
  faccessat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *path
      "i32", // int mode
      "i32", // int flags
    ],
    result: "i32",
  },
  fchownat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *path
      "u32", // uid_t owner
      "u32", // gid_t group
      "i32", // int flags
    ],
    result: "i32",
  },
  mkdir: {
    parameters: [
      "buffer", // const char *path
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  fsync: {
    parameters: ["i32" /* int fd */],
    result: "i32",
  },
  msyncInBackground: {
    name: "msync",
    parameters: [
      "pointer", // void *addr
      "u64", // size_t length
      "i32", // int flags
    ],
    result: "i32",
    nonblocking: true,
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
  fcntl: {
    parameters: [
      "i32", // int fd
      "i32", // int op
      "i32", // int arg
    ],
    result: "i32",
  },
  fcntlLock: {
    name: "fcntl",
    parameters: [
      "i32", // int fd
      "i32", // int op
      "buffer", // struct flock *arg
    ],
    result: "i32",
  },
  dup3: {
    parameters: [
      "i32", // int oldfd
      "i32", // int newfd
      "i32", // int flags
    ],
    result: "i32",
  },
  getdents64: {
    parameters: [
      "i32", // int fd
      "buffer", // void *dirp
      "u32", // size_t count
    ],
    result: "i32",
  },
  readlink: {
    parameters: [
      "buffer", // const char *path
      "buffer", // char *buf
      "u32", // size_t bufsiz
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
  umask: {
    parameters: ["u32" /* mode_t mask */],
    result: "u32",
  },
  prctl: {
    parameters: [
      "i32", // int option
      "buffer", // unsigned long arg2
    ],
    result: "i32",
  },
  statx: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "i32", // int flags
      "u32", // unsigned int mask
      "buffer", // struct statx *statxbuf
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
