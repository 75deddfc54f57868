// The sandbox of a daemon: what it needs afterwards, and what was refused.
import type { SandboxNeeds } from "../../ffi/process/syscalls.ts";
import type { Logger } from "../log/logger.ts";
import type { LogTarget } from "../log/target.ts";
import type { Every } from "../net/every.ts";
import type { Service } from "./lifecycle.ts";
import type { ProcessControl } from "./process_control.ts";

const LOOK_MS = 10_000;

export interface SandboxedOptions {
  readonly chroot: string | undefined;
  readonly logTargets: readonly LogTarget[];
  readonly pidFile: string | undefined;
}

/**
 * @param sockets That it removes at the end
 * @param written Open folders that it writes to
 */
export function sandboxNeeds(
  options: SandboxedOptions,
  sockets: readonly string[],
  written: readonly number[],
): SandboxNeeds {
  const { pidFile, chroot } = options;
  // In a jail the pid file stays.
  const ownPid = chroot === undefined ? pidFile : undefined;
  const removed = [ownPid ?? [], sockets].flat();
  return {
    appended: logFolders(options),
    written,
    removedFrom: removed.map(folderOf),
  };
}

/** Where log files are opened again, as new ones of the same name. */
export function logFolders(
  { logTargets }: Pick<SandboxedOptions, "logTargets">,
): readonly string[] {
  return logTargets.flatMap((target) =>
    target.kind === "file" ? [folderOf(target.path)] : []
  );
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash + 1);
}

/**
 * Tells of calls that were not permitted: somebody tries, or something is
 * missing. Those of other threads, and of the runtime, are known to the kernel
 * alone.
 */
export function refusalReports(
  control: Pick<ProcessControl, "refusedCalls">,
  every: Every,
  logger: Logger,
): Service {
  let told = 0;
  const look = () => {
    const counts = control.refusedCalls();
    const sum = sumOf(counts);
    if (sum === told) return;
    told = sum;
    logger.warning(`${textOf(counts)}; ${HINT}`);
  };
  return {
    name: "sandbox",
    async run(stop) {
      await every(LOOK_MS, look, stop);
      look();
    },
    report() {
      const counts = control.refusedCalls();
      return sumOf(counts) === 0 ? [] : [textOf(counts)];
    },
  };
}

/** AUDIT_SECCOMP of include/uapi/linux/audit.h. */
const HINT =
  "if the sandbox denied them, the kernel's log has them (audit, type=1326)";

function sumOf(counts: ReadonlyMap<string, number>): number {
  return counts.values().reduce((sum, count) => sum + count, 0);
}

function textOf(counts: ReadonlyMap<string, number>): string {
  const calls = Array.from(counts, ([name, count]) => `${name}: ${count}`);
  return `calls that were not permitted (name: times): ${calls.join(", ")}`;
}
