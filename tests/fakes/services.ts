/**
 * Services and listeners that note what happens to them.
 *
 * @module
 */
import {
  Lifecycle,
  type LifecycleListener,
  type Phase,
  type Service,
  type Starting,
} from "../../src/daemon/lifecycle.ts";
import { LiveOptions } from "../../src/daemon/reload.ts";
import { firstReading } from "../../lab/first_reading.ts";
import { settle } from "./manual_clock.ts";
import { recordingLog } from "./recording_log.ts";

/** A start that nothing interrupts. */
export function starting(
  waiting: (what: string) => void = () => {},
): Starting {
  return {
    stop: new AbortController().signal,
    waiting,
    fail: (error) => {
      throw error;
    },
  };
}

/** A service that runs until it is told to stop, and notes everything. */
export function fakeService(
  name: string,
  notes: string[],
  own: Partial<Service> = {},
): Service {
  return {
    name,
    start: () => void notes.push(`start ${name}`),
    async run(stop) {
      notes.push(`run ${name}`);
      await untilAborted(stop);
      notes.push(`end ${name}`);
    },
    reload: () => void notes.push(`reload ${name}`),
    report: () => [`${name} is fine`],
    close: () => void notes.push(`close ${name}`),
    ...own,
  };
}

/** Options that a daemon has at first, and those that a HUP finds. */
interface Change<O> {
  readonly before: O;
  readonly after: O;
  /** Has the start go on, once the HUP has come. */
  readonly goOn: () => void;
}

/**
 * Runs a service that is told to reload before its start has ended.
 *
 * @returns Ends it, once it has reloaded
 */
export async function reloadDuringStart<O>(
  service: Service<O>,
  { before, after, goOn }: Change<O>,
): Promise<() => Promise<void>> {
  const logger = recordingLog();
  const readAgain = () => firstReading(after);
  const options = { ...firstReading(before), readAgain };
  const lifecycle = new Lifecycle(logger, new LiveOptions(options, logger));
  const running = lifecycle.run([service], []);
  await settle();
  const reloading = lifecycle.reload();
  await settle();
  goOn();
  await reloading;
  return async () => {
    lifecycle.stop();
    await running;
  };
}

/** A listener that notes phases. */
export function fakeListener(notes: string[]): LifecycleListener {
  return { changed: (phase) => void notes.push(`- ${textOf(phase)}`) };
}

/** Waits for the signal, and a moment longer. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

function textOf(phase: Phase): string {
  switch (phase.kind) {
    case "starting":
      return `starting ${phase.what}`;
    case "failed":
      return `failed: ${phase.reason}`;
    default:
      return phase.kind;
  }
}
