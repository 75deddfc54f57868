// The sandbox of a daemon: what it needs afterwards, and what was denied.
import type { SandboxNeeds } from "../../ffi/process/syscalls.ts";
import type { Logger } from "../log/logger.ts";
import type { LogTarget } from "../log/target.ts";
import { isUnixSocket, type PlaceName } from "../net/place.ts";
import type { Delay } from "../net/resolver.ts";
import type { Service } from "./lifecycle.ts";
import type { ProcessControl } from "./process_control.ts";

const LOOK_MS = 10_000;

interface SandboxedOptions {
  readonly logTargets: readonly LogTarget[];
  readonly pidFile: string | undefined;
}

/**
 * @param server Where it listens, if it does
 * @param written Open folders that it writes to
 */
export function sandboxNeeds(
  { logTargets, pidFile }: SandboxedOptions,
  server: PlaceName | undefined,
  written: readonly number[],
): SandboxNeeds {
  const logs = logTargets.flatMap((target) =>
    target.kind === "file" ? [target.path] : []
  );
  const socket = server !== undefined && isUnixSocket(server)
    ? server.path
    : undefined;
  const removed = [pidFile, socket].filter((path) => path !== undefined);
  return {
    // Opened again, as a new file of the same name.
    appended: logs.map(folderOf),
    written,
    removedFrom: removed.map(folderOf),
  };
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash + 1);
}

/** Tells of what was denied: somebody tries, or something is missing. */
export function denialReports(
  control: Pick<ProcessControl, "denials">,
  delay: Delay,
  logger: Logger,
): Service {
  let told = 0;
  return {
    name: "sandbox",
    async run(stop) {
      while (!stop.aborted) {
        await delay(LOOK_MS, stop).catch(() => {});
        const counts = control.denials();
        const sum = sumOf(counts);
        if (sum === told) continue;
        told = sum;
        logger.warning(`the sandbox has denied ${textOf(counts)}`);
      }
    },
    report() {
      const counts = control.denials();
      return sumOf(counts) === 0
        ? []
        : [`denied by the sandbox: ${textOf(counts)}`];
    },
  };
}

function sumOf(counts: ReadonlyMap<number, number>): number {
  return counts.values().reduce((sum, count) => sum + count, 0);
}

/** By their numbers: names of what is not needed are not kept. */
function textOf(counts: ReadonlyMap<number, number>): string {
  const calls = Array.from(counts, ([number, count]) => `${number}: ${count}`);
  return `system calls (number: times): ${calls.join(", ")}`;
}
