// System calls that a daemon makes once it is set up, and with which arguments:
// its own, the runtime's (V8, Tokio, Rust) and the C library's. Derived from
// traces of all kinds of daemons, where 57 of them were seen. The others belong to
// the same purposes: other versions of the runtime and of the C library (musl)
// take them in place of those, or rare paths of what was traced.

import { AF, Ioctl, NETLINK, O, SOCK, SOL } from "../flags.ts";

/** Part of an argument that must have one of the values. */
interface Condition {
  readonly argument: number;
  readonly half?: "high";
  readonly mask?: number;
  readonly values: readonly number[];
}

export type Way = readonly Condition[];

interface Rule {
  /** That are open: each with conditions that must all hold. */
  readonly ways: readonly Way[];
  /** Those that are shut, which is no news: libraries try, and do without. */
  readonly expected?: readonly Way[];
}

export interface SandboxNeeds {
  /** Folders in which files are opened to grow: logs opened again. */
  readonly appended: readonly string[];
  /**
   * Descriptors of folders in which files are made, written and replaced: those
   * of state and of key chains, which may lie outside of the jail.
   */
  readonly written: readonly number[];
  /** Folders of which files are removed: the pid file, unix sockets. */
  readonly removedFrom: readonly string[];
}

export type Architecture = typeof Deno.build.arch;

/** Rules by the number of the call; without one all arguments are allowed. */
export type AllowedCalls = ReadonlyMap<number, Rule | undefined>;

/** Numbers on x86-64 and on aarch64; what has none there is older than that. */
type Numbers = readonly [x86: number, arm: number | undefined];

// Names and numbers: arch/x86/entry/syscalls/syscall_64.tbl and
// include/uapi/asm-generic/unistd.h of Linux.

/** Heaps and code of V8, malloc, stacks of threads. */
const MEMORY: Readonly<Record<string, Numbers>> = {
  brk: [12, 214],
  mmap: [9, 222],
  munmap: [11, 215],
  mremap: [25, 216],
  mprotect: [10, 226],
  madvise: [28, 233],
  msync: [26, 227],
  // V8 uses these where the processor has protection keys, and to see
  // that code which it has made is seen by all threads.
  membarrier: [324, 283],
  pkey_mprotect: [329, 288],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],
};

/** Locks, and threads that Tokio's pool starts and ends as it pleases. */
const THREADS: Readonly<Record<string, Numbers>> = {
  futex: [202, 98],
  exit: [60, 93],
  exit_group: [231, 94],
  gettid: [186, 178],
  getpid: [39, 172],
  set_robust_list: [273, 99],
  rseq: [334, 293],
  sched_yield: [24, 124],
  sched_getaffinity: [204, 123],
  // pthread_getattr_np(3), by which Rust and V8 find a stack.
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  getcpu: [309, 168],
  // A post-up script that ends late.
  wait4: [61, 260],
};

const SIGNALS: Readonly<Record<string, Numbers>> = {
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  sigaltstack: [131, 132],
  // After SIGSTOP and SIGCONT, for calls that have a timeout.
  restart_syscall: [219, 128],
};

/** Mostly answered without a call, but not on every machine (vdso(7)). */
const TIME: Readonly<Record<string, Numbers>> = {
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  clock_nanosleep: [230, 115],
  gettimeofday: [96, 169],
  nanosleep: [35, 101],
  time: [201, undefined],
};

/** Questions that change nothing: of V8's statistics, Rust and name lookups. */
const QUESTIONS: Readonly<Record<string, Numbers>> = {
  getrandom: [318, 278],
  getrusage: [98, 165],
  getuid: [102, 174],
  geteuid: [107, 175],
  getgid: [104, 176],
  getegid: [108, 177],
  getppid: [110, 173],
  sysinfo: [99, 179],
  uname: [63, 160],
};

/** Of descriptors of any kind. */
const DESCRIPTORS: Readonly<Record<string, Numbers>> = {
  read: [0, 63],
  write: [1, 64],
  readv: [19, 65],
  writev: [20, 66],
  pread64: [17, 67],
  pwrite64: [18, 68],
  preadv: [295, 69],
  pwritev: [296, 70],
  close: [3, 57],
  close_range: [436, 436],
  dup: [32, 23],
  dup2: [33, undefined],
  dup3: [292, 24],
  lseek: [8, 62],
  fstat: [5, 80],
  fsync: [74, 82],
  fdatasync: [75, 83],
  ftruncate: [77, 46],
  pipe2: [293, 59],
};

/** Both planes, unix streams and Tokio's event loops. */
const WAITING: Readonly<Record<string, Numbers>> = {
  poll: [7, undefined],
  ppoll: [271, 73],
  select: [23, undefined],
  pselect6: [270, 72],
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  epoll_wait: [232, undefined],
  epoll_pwait: [281, 22],
  eventfd2: [290, 19],
};

/** Reading of files: name lookups, control files, modules from source. */
const FILES: Readonly<Record<string, Numbers>> = {
  stat: [4, undefined],
  lstat: [6, undefined],
  newfstatat: [262, 79],
  statx: [332, 291],
  access: [21, undefined],
  faccessat: [269, 48],
  faccessat2: [439, 439],
  readlink: [89, undefined],
  readlinkat: [267, 78],
  getdents64: [217, 61],
  getcwd: [79, 17],
  statfs: [137, 43],
  fstatfs: [138, 44],
  fadvise64: [221, 223],
};

const REMOVAL: Readonly<Record<string, Numbers>> = {
  unlink: [87, undefined],
  unlinkat: [263, 35],
};

/** Files are replaced by new ones of the same name. */
const REPLACEMENT: Readonly<Record<string, Numbers>> = {
  rename: [82, undefined],
  renameat: [264, 38],
  renameat2: [316, 276],
};

const SOCKETS: Readonly<Record<string, Numbers>> = {
  bind: [49, 200],
  listen: [50, 201],
  accept: [43, 202],
  accept4: [288, 242],
  connect: [42, 203],
  getsockname: [51, 204],
  getpeername: [52, 205],
  getsockopt: [55, 209],
  sendto: [44, 206],
  recvfrom: [45, 207],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  sendmmsg: [307, 269],
  recvmmsg: [299, 243],
  shutdown: [48, 210],
};

// include/uapi/linux/sched.h
const CLONE_VM = 0x100;
const CLONE_SIGHAND = 0x800;
const CLONE_PTRACE = 0x2000;
const CLONE_VFORK = 0x4000;
const CLONE_THREAD = 0x10000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const CLONE_NEW = 0x7e020000;
const THREAD = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;

/** Of which every socket call asks the lower four bits. */
const SOCK_TYPE = 0xf;
/** include/uapi/asm-generic/fcntl.h; O_TMPFILE is nothing without O_ACCMODE. */
const O_TRUNC = 0o1000;

/** include/uapi/linux/prctl.h: of threads' names, and of mappings'. */
const PRCTLS = [15, 16, 0x53564d41];

/**
 * FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, TCGETS, TCGETS2, TIOCGWINSZ, and the
 * questions of if_nametoindex(3), if_indextoname(3), for the size of packets, and
 * whether a device is up and has an address.
 * At the end, a device that stays loses its offloads.
 */
const IOCTLS = [
  ...[0x541b, 0x5421, 0x5450, 0x5451, 0x5401, 0x802c542a, 0x5413],
  ...[Ioctl.SIOCGIFINDEX, 0x8910, Ioctl.SIOCGIFMTU],
  ...[Ioctl.SIOCGIFFLAGS, Ioctl.SIOCGIFADDR],
  Ioctl.TUNSETOFFLOAD,
];

/** All but F_SETOWN and its kin, which send signals to others. */
const FCNTLS = [0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032];

// Levels of setsockopt(2), include/linux/socket.h
const SOL_IP = 0;
const SOL_TCP = 6;
const SOL_IPV6 = 41;

/**
 * Of IP, what is below 64, and IPV6_RECVTCLASS and IPV6_TCLASS: from 64 on are
 * the tables of netfilter and of multicast routing.
 */
const BELOW_64 = ~63 >>> 0;

/** UDP_SEGMENT and UDP_GRO. */
const UDP_OPTIONS = [103, 104];

const is = (argument: number, ...values: number[]): Condition => {
  return { argument, values };
};
const masked = (argument: number, mask: number, value: number): Condition => {
  return { argument, mask: mask >>> 0, values: [value] };
};

/** Calls of which some arguments are allowed. */
function ruled(
  needs: SandboxNeeds,
  pid: number,
): ReadonlyMap<Numbers, Rule | undefined> {
  const opening = (flags: number) => openingRule(needs, flags);
  const toItself: Rule = { ways: [[is(0, pid)]] };
  return new Map<Numbers, Rule | undefined>([
    [[56, 220], CLONE_RULE], // clone()
    // kill() and tgkill(): abort(3), and signals among its own threads.
    [[62, 129], toItself],
    [[234, 131], toItself],
    // openat(), and open() of musl
    [[257, 56], opening(2)],
    [[2, undefined], opening(1)],
    [[72, 25], { ways: [[is(1, ...FCNTLS)]] }], // fcntl()
    [[16, 29], { ways: [[is(1, ...IOCTLS)]] }], // ioctl()
    [[157, 167], { ways: [[is(0, ...PRCTLS)]] }], // prctl()
    [[302, 261], limitRule(pid)], // prlimit64()
    [[41, 198], SOCKET_RULE], // socket()
    [[53, 199], { ways: [[is(0, AF.UNIX)]] }], // socketpair()
    [[54, 208], OPTION_RULE], // setsockopt()
  ]);
}

/** @param flags The argument that has them */
function openingRule(
  { appended, written }: SandboxNeeds,
  flags: number,
): Rule | undefined {
  if (written.length > 0) return undefined;
  const reading = masked(flags, O.ACCMODE | O.CREAT | O_TRUNC, 0);
  const mode = O.ACCMODE | O.APPEND | O_TRUNC;
  const appending = masked(flags, mode, O.WRONLY | O.APPEND);
  return { ways: appended.length > 0 ? [[reading], [appending]] : [[reading]] };
}

/** Threads of this process, and no namespaces. */
const CLONE_RULE: Rule = {
  ways: [[
    masked(0, THREAD | CLONE_PTRACE | CLONE_VFORK | CLONE_NEW, THREAD),
  ]],
};

/** A question: there is no new limit. */
function limitRule(pid: number): Rule {
  return {
    ways: [[
      is(0, 0, pid),
      is(2, 0),
      { argument: 2, half: "high", values: [0] },
    ]],
  };
}

/**
 * Neither raw nor packet sockets. A routing socket could change addresses and
 * routes where the privileges last; getaddrinfo(3) does without.
 */
const SOCKET_RULE: Rule = {
  ways: [
    [
      is(0, AF.INET, AF.INET6),
      { argument: 1, mask: SOCK_TYPE, values: [SOCK.STREAM, SOCK.DGRAM] },
    ],
    [is(0, AF.UNIX)],
    [is(0, AF.NETLINK), is(2, NETLINK.SOCK_DIAG)],
  ],
  expected: [[is(0, AF.NETLINK), is(2, NETLINK.ROUTE)]],
};

const OPTION_RULE: Rule = {
  ways: [
    [is(1, SOL.SOCKET, SOL_TCP)],
    [is(1, SOL_IP, SOL_IPV6), masked(2, BELOW_64, 0)],
    [is(1, SOL_IPV6), is(2, 66, 67)],
    [is(1, SOL.UDP), is(2, ...UDP_OPTIONS)],
  ],
};

/** @param pid Of this process, which may send signals to itself */
export function allowedCalls(
  arch: Architecture,
  needs: SandboxNeeds,
  pid: number,
): AllowedCalls {
  const groups = [
    ...[MEMORY, THREADS, SIGNALS, TIME, QUESTIONS, DESCRIPTORS, WAITING, FILES],
    SOCKETS,
    ...(needs.written.length + needs.removedFrom.length > 0 ? [REMOVAL] : []),
    ...(needs.written.length > 0 ? [REPLACEMENT] : []),
  ];
  const free = groups.flatMap((group) => Object.values(group))
    .map((numbers) => [numbers, undefined] as const);
  const calls = new Map<number, Rule | undefined>();
  for (const [[x86, arm], rule] of [...free, ...ruled(needs, pid)]) {
    const number = arch === "x86_64" ? x86 : arm;
    if (number !== undefined) calls.set(number, rule);
  }
  return calls;
}
