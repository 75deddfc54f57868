import { ProcView } from "./daemons.ts";
import { missingCommand } from "./missing.ts";

/**
 * Says why the kernel's log does not tell which calls a sandbox has denied, or
 * null if it does.
 */
export function whyNoKernelLog(): string | null {
  const missing = missingCommand("dmesg");
  if (missing !== null) return missing;
  const actions = textOf("/proc/sys/kernel/seccomp/actions_logged");
  if (!/\berrno\b/.test(actions)) return "the kernel does not log denials";
  const names = Array.from(
    Deno.readDirSync("/proc"),
    ({ name }) => /^\d/.test(name) ? textOf(`/proc/${name}/comm`) : "",
  );
  // Of other namespaces, with other numbers of processes, none is seen.
  if (!names.includes("kauditd")) return "no audit of the kernel is seen";
  if (names.includes("auditd")) return "auditd takes the kernel's audit";
  return dmesg().success ? null : "dmesg is not permitted";
}

/**
 * Numbers of the calls that a running process was denied unexpectedly. The
 * kernel drops some when there are many.
 */
export function deniedCalls(pid: number): readonly number[] {
  const text = new TextDecoder().decode(dmesg().stdout);
  const records = text.matchAll(
    /^\[ *(\d+)\..* type=1326 .* pid=(\d+) .* syscall=(\d+) /gm,
  );
  // Others had its number before.
  const start = secondsSinceBoot() - new ProcView(pid).age() - 1;
  return Array.from(records)
    .filter(([, at, of]) => Number(of) === pid && Number(at) >= start)
    .map(([, , , number]) => Number(number));
}

function secondsSinceBoot(): number {
  return parseFloat(textOf("/proc/uptime"));
}

function dmesg(): Deno.CommandOutput {
  return new Deno.Command("dmesg").outputSync();
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return "";
  }
}
