// Memory that a daemon gives back once it has started.
import type { Delay } from "../net/delay.ts";
import type { Service } from "./lifecycle.ts";
import type { ProcessControl } from "./process_control.ts";

/** By then the code is compiled that carries the first packets. */
const FIRST_MS = 1000;

/**
 * The compilers of the runtime leave memory behind whenever code is new, which
 * is mostly at first. It takes milliseconds to look for.
 */
const MOST_MS = 60_000;

/**
 * A thread that carries packets waits a millisecond or two for what it still
 * needs of the program. So that comes ever more rarely: 1, 6, 271, 1771 s after
 * the start, and so on.
 */
const RARER = 5;

export function spareMemory(
  control: Pick<ProcessControl, "trimHeap" | "dropProgramPages">,
  delay: Delay,
): Service {
  return {
    name: "spare memory",
    async run(stop) {
      let pause = FIRST_MS;
      for (let round = 0, drop = 0;; round++) {
        await delay(pause, stop).catch(() => {});
        if (stop.aborted) return;
        pause = Math.min(pause * RARER, MOST_MS);
        control.trimHeap();
        if (round < drop) continue;
        control.dropProgramPages();
        drop = drop * RARER + 1;
      }
    },
  };
}
