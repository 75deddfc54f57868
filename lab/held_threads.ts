/**
 * Threads of a daemon that stand still while the others go on.
 *
 * @module
 */
import { ProcView } from "./daemons.ts";
import type { LabHost } from "./host.ts";

/** CAP_SYS_PTRACE of capabilities(7). */
const TRACING = 1n << 19n;

/** Why none can be held, or null. */
export function whyNoTracing(): string | null {
  const [effective] = new ProcView(Deno.pid).status("CapEff");
  return (BigInt(`0x${effective}`) & TRACING) === 0n
    ? "there is no CAP_SYS_PTRACE"
    : null;
}

/** Ids of the threads that carry packets, in the order of their start. */
export function carriersOf(daemon: ProcView): readonly string[] {
  return daemon.names("task")
    .filter((id) => daemon.text(`task/${id}/comm`).startsWith("worker"));
}

/** @returns Lets them go on */
export async function holdThreads(
  host: LabHost,
  threads: readonly string[],
): Promise<() => Promise<void>> {
  const holding = host.script("hold_threads.ts", ...threads);
  await holding.line(/^holding$/);
  return async () => {
    await holding.closeInput();
    await holding.ended;
  };
}
