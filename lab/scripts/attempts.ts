/**
 * System calls that change nothing, and that no daemon makes: what the kernel
 * says to them in the thread that asks.
 */
import { errnoName } from "../../ffi/errno.ts";
import { openLibc } from "../../ffi/libc.ts";

/** Numbers on x86-64 and on aarch64, and arguments. */
const CALLS: Readonly<
  Record<string, readonly [number, number, ...(readonly bigint[])]>
> = {
  "unshare nothing": [272, 97, 0n],
  "socket(AF_PACKET)": [41, 198, 17n, 2n, 0n],
  "socket(AF_INET, SOCK_RAW)": [41, 198, 2n, 3n, 1n],
  "socket(NETLINK_ROUTE)": [41, 198, 16n, 3n, 0n],
  "ptrace(nobody)": [101, 117, 16n, 0x7ffffffen],
  "process_vm_readv(nothing)": [310, 270, 0x7ffffffen],
  "keyctl(the own keyring)": [250, 219, 0n, -3n, 0n],
  "bpf(nothing)": [321, 280, 5n, 0n, 0n],
  "perf_event_open(nothing)": [298, 241, 0n, 0n, -1n, -1n, 0n],
  "mount(nothing)": [165, 40, 0n, 0n, 0n, 0n, 0n],
  "personality(?)": [135, 92, 0xffffffffn],
  "capset(nothing)": [126, 91, 0n, 0n],
  "chroot(nothing)": [161, 51, 0n],
  "setuid(-1)": [105, 146, 0xffffffffn],
  "open to write": [257, 56, -100n, 0n, 1n],
  "kill(nobody)": [62, 129, 0x7ffffffen, 0n],
  "prctl(PR_SET_DUMPABLE, ?)": [157, 167, 4n, 77n],
  "ioctl(TIOCSTI)": [16, 29, -1n, 0x5412n],
  "clone(CLONE_NEWUSER) of nothing": [56, 220, 0x10000800n],
  "io_uring_setup(nothing)": [425, 425, 0n, 0n],
  "pidfd_open(nobody)": [434, 434, 0x7ffffffen, 0n],
};

/** The word "done", or an error number's name, by call. */
export function attempts(): Record<string, string> {
  const libc = openLibc();
  const library = Deno.dlopen("libc.so.6", {
    syscall: { parameters: Array(7).fill("i64"), result: "i64" },
  });
  const ends = Object.entries(CALLS).map(([name, [x86, arm, ...args]]) => {
    const number = Deno.build.arch === "x86_64" ? x86 : arm;
    const all = Array.from({ length: 6 }, (_, k) => args[k] ?? 0n);
    const result = library.symbols.syscall(BigInt(number), ...all);
    if (result < 0n) return [name, errnoName(libc.errno())];
    if (name.startsWith("socket")) libc.symbols.close(Number(result));
    return [name, "done"];
  });
  library.close();
  libc.close();
  return Object.fromEntries(ends);
}
