// Waits of a thread that could have run for a processor, as the kernel traces them.
// So a packet that a daemon holds is told from one that waits for whoever else has
// the processor: a kernel without preemption takes it from nobody who is within it.

/** In ms, by the clock of a capture. */
export interface Wait {
  readonly from: number;
  readonly to: number;
  /** The thread that had the processor before. */
  readonly behind: number;
}

/** `TASK-PID [CPU] flags seconds: event: fields`; a name may hold all of that. */
const LINE = /\s\[\d+\] \S+ +(\d+\.\d+): (sched_waking|sched_switch): (.*)$/;
const SWITCH =
  /^prev_comm=.* prev_pid=(\d+) prev_prio=\d+ prev_state=(\S+) ==> next_comm=.* next_pid=(\d+) /;
const WAKING = / pid=(\d+) /;

/**
 * Reads the text of a trace of the events sched_waking and sched_switch.
 *
 * @param thread Its number
 * @param timeOf Of a capture, for the seconds of the trace
 */
export function readWaits(
  trace: string,
  thread: number,
  timeOf: (seconds: number) => number,
): Wait[] {
  const waits: Wait[] = [];
  let isRunning = false;
  let since: number | undefined;
  for (const line of trace.split("\n")) {
    const [, seconds, event, fields = ""] = LINE.exec(line) ?? [];
    if (seconds === undefined) continue;
    const time = timeOf(Number(seconds));
    if (event === "sched_waking") {
      const isOwn = Number(WAKING.exec(fields)?.[1]) === thread;
      if (isOwn && !isRunning) since ??= time;
      continue;
    }
    const [, from, state = "", to] = SWITCH.exec(fields) ?? [];
    if (Number(from) === thread) {
      isRunning = false;
      // One that could go on has been stopped.
      since = state.startsWith("R") ? time : undefined;
    } else if (Number(to) === thread) {
      isRunning = true;
      const behind = Number(from);
      if (since !== undefined) waits.push({ from: since, to: time, behind });
      since = undefined;
    }
  }
  return waits;
}

/** The thread that got a processor most often. */
export function busiest(trace: string, threads: readonly number[]): number {
  const counts = threads.map((thread) => ({
    thread,
    count: trace.split(`next_pid=${thread} `).length,
  }));
  counts.sort((a, b) => b.count - a.count);
  return counts[0]?.thread ?? 0;
}
