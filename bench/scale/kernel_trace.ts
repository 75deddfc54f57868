// The kernel's trace of when threads get a processor, in an instance of its own:
// whatever else is traced stays as it is (Documentation/trace/ftrace.rst).

import type { Libc } from "../../ffi/libc.ts";
import { monotonicMicroseconds } from "../../ffi/clock.ts";

const PLACE = "/sys/kernel/tracing";
const INSTANCE = `${PLACE}/instances/anytun-scale`;
/** Of each processor: 13 s of a thread with a thousand packets a second. */
const BUFFER_KIB = 32_768;

export class KernelTrace implements Disposable {
  /** @throws {Error} Where the kernel has none, or for want of privileges. */
  static async open(): Promise<KernelTrace> {
    const isThere = await exists(`${PLACE}/instances`);
    if (!isThere) await run("mount", "-t", "tracefs", "tracefs", PLACE);
    // What a killed run has left.
    if (await exists(INSTANCE)) Deno.removeSync(INSTANCE);
    Deno.mkdirSync(INSTANCE);
    return new KernelTrace();
  }

  private constructor() {
    put("trace_clock", "mono");
    put("buffer_size_kb", String(BUFFER_KIB));
    for (const event of ["sched_waking", "sched_switch"]) {
      put(`events/sched/${event}/enable`, "1");
    }
  }

  start(threads: readonly number[]): void {
    const any = (field: string) =>
      threads.map((thread) => `${field} == ${thread}`).join(" || ");
    put("events/sched/sched_waking/filter", any("pid"));
    const ends = `${any("prev_pid")} || ${any("next_pid")}`;
    put("events/sched/sched_switch/filter", ends);
    put("trace", "");
    put("tracing_on", "1");
  }

  /** @returns The text of what was traced */
  stop(): string {
    put("tracing_on", "0");
    return Deno.readTextFileSync(`${INSTANCE}/trace`);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(INSTANCE);
  }
}

/** What the clock of the trace is behind the time of day, in seconds. */
export function traceOffset(libc: Libc): number {
  // Of several, the pair that was read with the least in between.
  const pairs = Array.from({ length: 50 }, () => {
    const before = monotonicMicroseconds(libc);
    const time = timeOfDay(libc);
    const after = monotonicMicroseconds(libc);
    return { width: after - before, offset: time - (before + after) / 2 / 1e6 };
  });
  return pairs.toSorted((a, b) => a.width - b.width)[0]?.offset ?? NaN;
}

/** CLOCK_REALTIME, in seconds. */
function timeOfDay(libc: Libc): number {
  const time = new BigInt64Array(2);
  libc.symbols.clock_gettime(0, time);
  return Number(time[0]) + Number(time[1]) / 1e9;
}

function put(name: string, text: string): void {
  Deno.writeTextFileSync(`${INSTANCE}/${name}`, text);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args })
    .output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot trace what threads wait for: ${reason}`);
}
