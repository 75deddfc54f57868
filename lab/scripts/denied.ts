/**
 * In the sandbox of a daemon, and until it is killed, makes calls that are
 * denied: two that are expected, then one that is not.
 */
import { AF, NETLINK, SOCK } from "../../ffi/flags.ts";
import { confine, forbidPrivileges } from "../../ffi/process/hardening.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";

const CLONE3 = 435;
const PTRACE = Deno.build.arch === "x86_64" ? 101 : 117;

const libc = openProcessLibc();
const needs = { appended: [], written: [], removedFrom: [] };
const refusal = forbidPrivileges(libc) ?? confine(libc, needs);
if (refusal !== undefined) throw new Error(refusal);
for (;;) {
  libc.symbols.socket(AF.NETLINK, SOCK.RAW, NETLINK.ROUTE);
  libc.process.syscall(CLONE3, 0, 0, null);
  libc.process.syscall(PTRACE, 0, 0, null);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
