import assert from "node:assert/strict";
import { filterPrograms } from "../../../ffi/process/syscall_filter.ts";
import {
  allowedCalls,
  type SandboxNeeds,
} from "../../../ffi/process/syscalls.ts";
import { runFilter } from "../../oracles/filter_machine.ts";

const PID = 4711;
const NOTHING: SandboxNeeds = { appended: [], written: [], removedFrom: [] };
const LOGS: SandboxNeeds = { ...NOTHING, appended: ["/var/log"] };
const STATE: SandboxNeeds = { ...NOTHING, written: [3] };
const PID_FILE: SandboxNeeds = { ...NOTHING, removedFrom: ["/run"] };

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;

/** include/uapi/linux/audit.h, and numbers of the calls below. */
const X86 = { arch: "x86_64", audit: 0xc000003e } as const;
const ARM = { arch: "aarch64", audit: 0xc00000b7 } as const;
const I386 = 0x40000003;

/** Numbers on x86-64 and on aarch64. */
const CALL = {
  clone: [56, 220],
  execve: [59, 221],
  execveat: [322, 281],
  fcntl: [72, 25],
  futex: [202, 98],
  ioctl: [16, 29],
  kill: [62, 129],
  openat: [257, 56],
  prctl: [157, 167],
  prlimit64: [302, 261],
  read: [0, 63],
  renameat: [264, 38],
  setsockopt: [54, 208],
  socket: [41, 198],
  unlinkat: [263, 35],
} as const;

/** What nobody needs who carries packets, on x86-64 and on aarch64. */
const DANGEROUS = {
  acct: [163, 89],
  add_key: [248, 217],
  adjtimex: [159, 171],
  bpf: [321, 280],
  capset: [126, 91],
  chmod: [90, undefined],
  chroot: [161, 51],
  clock_settime: [227, 112],
  delete_module: [176, 106],
  execve: CALL.execve,
  execveat: CALL.execveat,
  finit_module: [313, 273],
  fork: [57, undefined],
  init_module: [175, 105],
  ioperm: [173, undefined],
  iopl: [172, undefined],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  linkat: [265, 37],
  mknodat: [259, 33],
  mount: [165, 40],
  open_by_handle_at: [304, 265],
  perf_event_open: [298, 241],
  personality: [135, 92],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  reboot: [169, 142],
  seccomp: [317, 277],
  setgid: [106, 144],
  setns: [308, 268],
  setuid: [105, 146],
  settimeofday: [164, 170],
  swapon: [167, 224],
  symlinkat: [266, 36],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  vfork: [58, undefined],
} as const;

/** New calls, with the same number everywhere. */
const NEW = {
  clone3: 435,
  fsopen: 430,
  futex_waitv: 449,
  io_uring_setup: 425,
  landlock_restrict_self: 446,
  mount_setattr: 442,
  openat2: 437,
  pidfd_getfd: 438,
  pidfd_open: 434,
  "one of the future": 999,
};

/** What the kernel makes of both filters: the lower answer, which is stricter. */
function filterOf(
  machine: typeof X86 | typeof ARM,
  { needs = NOTHING, audit = machine.audit as number } = {},
) {
  const calls = allowedCalls(machine.arch, needs, PID);
  const { expected, unexpected } = filterPrograms(machine.arch, calls);
  for (const program of [expected, unexpected]) {
    assert.ok(program.length < 4096, "BPF_MAXINSNS");
    assert.ok(program.every(([, yes, no]) => isByte(yes) && isByte(no)));
  }
  const answers = (number: number, args: readonly (number | bigint)[]) =>
    [expected, unexpected].map((program) =>
      runFilter(program, { arch: audit, number, args: args.map(BigInt) })
    );
  const ask = (number: number, ...args: (number | bigint)[]) =>
    Math.min(...answers(number, args));
  const numberOf = (name: keyof typeof CALL) =>
    CALL[name][machine === X86 ? 0 : 1];
  return {
    number: ask,
    call: (name: keyof typeof CALL, ...args: (number | bigint)[]) =>
      ask(numberOf(name), ...args),
    /** Whether the filter denies it that has the kernel log what it denies. */
    isLogged: (number: number, ...args: (number | bigint)[]) =>
      answers(number, args)[1] !== ALLOW,
  };
}

function isByte(value: number): boolean {
  return value >= 0 && value <= 255;
}

for (const machine of [X86, ARM]) {
  const { arch } = machine;

  Deno.test(`on ${arch}, the filter allows exactly the calls of its list`, () => {
    const calls = allowedCalls(arch, NOTHING, PID);
    const { number: ask } = filterOf(machine);
    for (let number = 0; number < 1000; number++) {
      if (calls.get(number) !== undefined) continue;
      const otherwise = number < 424 ? EPERM : ENOSYS;
      assert.equal(ask(number), calls.has(number) ? ALLOW : otherwise);
    }
    for (const none of [0x40000000, 0x40000027, 0xffffffff]) {
      assert.equal(ask(none), EPERM, "x32, and what is no number");
    }
  });

  Deno.test(`on ${arch}, what could leave the process is denied`, () => {
    const { number: ask } = filterOf(machine);
    for (const [name, numbers] of Object.entries(DANGEROUS)) {
      const number = numbers[machine === X86 ? 0 : 1];
      if (number !== undefined) assert.equal(ask(number), EPERM, name);
    }
    for (const [name, number] of Object.entries(NEW)) {
      assert.equal(ask(number), ENOSYS, name);
    }
  });

  Deno.test(`on ${arch}, clone() makes threads, and neither processes nor namespaces`, () => {
    const { call } = filterOf(machine);
    const thread = 0x3d0f00; // as of pthread_create(3)
    assert.equal(call("clone", thread), ALLOW);
    const NEW_FLAGS = [17, 25, 26, 27, 28, 29, 30].map((bit) => 1 << bit);
    for (const flag of NEW_FLAGS) {
      assert.equal(call("clone", (thread | flag) >>> 0), EPERM);
    }
    assert.equal(call("clone", 17), EPERM, "fork(): SIGCHLD alone");
    assert.equal(call("clone", 0x4111), EPERM, "posix_spawn(3)");
  });

  Deno.test(`on ${arch}, sockets are those of IP, unix and socket diagnosis`, () => {
    const { call } = filterOf(machine);
    const flags = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK
    for (const family of [2, 10]) {
      assert.equal(call("socket", family, 1 | flags, 6), ALLOW);
      assert.equal(call("socket", family, 2 | flags, 0), ALLOW);
      assert.equal(call("socket", family, 3, 1), EPERM, "raw");
    }
    assert.equal(call("socket", 1, 1 | flags, 0), ALLOW);
    assert.equal(call("socket", 16, 3, 4), ALLOW, "NETLINK_SOCK_DIAG");
    assert.equal(call("socket", 16, 3, 0), EPERM, "NETLINK_ROUTE");
    assert.equal(call("socket", 16, 3, 12), EPERM, "NETLINK_NETFILTER");
    for (const family of [17, 38, 40, 44]) {
      assert.equal(call("socket", family, 2, 0), EPERM, "packet, alg, vsock");
    }
    assert.equal(call("setsockopt", 3, 1, 9), ALLOW, "SO_KEEPALIVE");
    assert.equal(call("setsockopt", 3, 0, 11), ALLOW, "IP_RECVERR");
    assert.equal(call("setsockopt", 3, 0, 64), EPERM, "IPT_SO_SET_REPLACE");
    assert.equal(call("setsockopt", 3, 41, 67), ALLOW, "IPV6_TCLASS");
    assert.equal(call("setsockopt", 3, 41, 64), EPERM, "IP6T_SO_SET_REPLACE");
    assert.equal(call("setsockopt", 3, 17, 104), ALLOW, "UDP_GRO");
    assert.equal(call("setsockopt", 3, 17, 100), EPERM, "UDP_ENCAP");
  });

  Deno.test(`on ${arch}, files are read, and written and removed where that is needed`, () => {
    const bare = filterOf(machine).call;
    const logging = filterOf(machine, { needs: LOGS }).call;
    const keeping = filterOf(machine, { needs: STATE }).call;
    const ending = filterOf(machine, { needs: PID_FILE }).call;
    const read = 0o2000000;
    const append = 0o2002101;
    for (const call of [bare, logging, keeping, ending]) {
      assert.equal(call("openat", -100, 0, read), ALLOW);
    }
    for (const flags of [append, 1, 2, 0o100, 0o1000, append | 0o1000]) {
      assert.equal(bare("openat", -100, 0, flags), EPERM);
      assert.equal(ending("openat", -100, 0, flags), EPERM);
      assert.equal(keeping("openat", -100, 0, flags), ALLOW);
      const grows = flags === append ? ALLOW : EPERM;
      assert.equal(logging("openat", -100, 0, flags), grows);
    }
    assert.equal(ending("unlinkat"), ALLOW);
    assert.equal(ending("renameat"), EPERM);
    for (const name of ["unlinkat", "renameat"] as const) {
      assert.equal(bare(name), EPERM);
      assert.equal(logging(name), EPERM);
      assert.equal(keeping(name), ALLOW);
    }
  });

  Deno.test(`on ${arch}, signals go to the process itself, and limits stay`, () => {
    const { call } = filterOf(machine);
    assert.equal(call("kill", PID, 6), ALLOW);
    for (const other of [1, -1, 0, PID + 1]) {
      assert.equal(call("kill", other, 6), EPERM);
    }
    assert.equal(call("prlimit64", 0, 3, 0), ALLOW);
    assert.equal(call("prlimit64", 0, 3, 0x1000), EPERM);
    assert.equal(call("prlimit64", 0, 3, 1n << 32n), EPERM);
    assert.equal(call("prlimit64", 1, 3, 0), EPERM);
    assert.equal(call("fcntl", 3, 6), ALLOW, "F_SETLK");
    assert.equal(call("fcntl", 3, 8), EPERM, "F_SETOWN");
    assert.equal(call("ioctl", 3, 0x5421), ALLOW, "FIONBIO");
    assert.equal(call("ioctl", 3, 0x400454ca), EPERM, "TUNSETIFF");
    assert.equal(call("ioctl", 3, 0x5412), EPERM, "TIOCSTI");
    assert.equal(call("prctl", 15), ALLOW, "PR_SET_NAME");
    assert.equal(call("prctl", 4, 1), EPERM, "PR_SET_DUMPABLE");
  });
}

Deno.test("calls of another architecture are denied whatever their number", () => {
  const { number: ask, isLogged } = filterOf(X86, { audit: I386 });
  for (let number = 0; number < 500; number++) {
    assert.equal(ask(number), EPERM);
    assert.ok(isLogged(number));
  }
});

Deno.test("what is denied is logged, unless libraries are known to try it", () => {
  const { isLogged } = filterOf(X86);
  for (const [number] of Object.values(DANGEROUS)) {
    assert.ok(isLogged(number, 0));
  }
  assert.ok(isLogged(CALL.socket[0], 17, 3, 0), "AF_PACKET");
  assert.ok(isLogged(CALL.clone[0], 17));
  assert.ok(isLogged(CALL.prctl[0], 4, 1));
  assert.ok(isLogged(0x40000000), "x32");
  assert.ok(!isLogged(CALL.socket[0], 16, 3, 0), "getaddrinfo(3) tries it");
  for (const number of Object.values(NEW)) assert.ok(!isLogged(number));
  assert.ok(!isLogged(CALL.read[0]));
});
