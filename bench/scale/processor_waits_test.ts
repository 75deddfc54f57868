import { strict as assert } from "node:assert";
import { busiest, readWaits } from "./processor_waits.ts";

const TRACE = `# tracer: nop
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
          <idle>-0       [001] d.s4.     1.000000: sched_waking: comm=worker-1 pid=7 prio=98 target_cpu=001
          <idle>-0       [001] d..2.     1.000010: sched_switch: prev_comm=swapper/1 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=worker-1 next_pid=7 next_prio=98
        worker-1-7       [001] d..2.     1.000020: sched_waking: comm=worker-1 pid=7 prio=98 target_cpu=001
        worker-1-7       [001] d..2.     1.000030: sched_switch: prev_comm=worker-1 prev_pid=7 prev_prio=98 prev_state=R+ ==> next_comm=my sh next_pid=9 next_prio=120
           my sh-9       [001] d..2.     1.009030: sched_switch: prev_comm=my sh prev_pid=9 prev_prio=120 prev_state=R ==> next_comm=worker-1 next_pid=7 next_prio=98
        worker-1-7       [001] d..2.     1.009040: sched_switch: prev_comm=worker-1 prev_pid=7 prev_prio=98 prev_state=S ==> next_comm=swapper/1 next_pid=0 next_prio=120
          <idle>-0       [001] d..2.     1.010000: sched_switch: prev_comm=swapper/1 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=worker-2 next_pid=8 next_prio=98
`;

Deno.test("a thread waits from when it is woken, or stopped, until it has a processor", () => {
  const waits = readWaits(TRACE, 7, (seconds) => Math.round(seconds * 1e6));
  assert.deepEqual(waits, [
    { from: 1_000_000, to: 1_000_010, behind: 0 },
    { from: 1_000_030, to: 1_009_030, behind: 9 },
  ]);
});

Deno.test("the thread that carries is the one that got a processor most often", () => {
  assert.equal(busiest(TRACE, [8, 7, 9]), 7);
});
