// The service manager: sd_notify(3) and sd_watchdog_enabled(3).
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { Lifecycle, LifecycleListener, Phase } from "./lifecycle.ts";
import type { NotifySocket, World } from "./world.ts";

/** What an end takes besides: more than a down script may. */
const USUAL_END_MS = 30_000;

/**
 * Characters. systemd drops a message of more than 4096 bytes (NOTIFY_BUFFER_MAX),
 * READY=1 with it, and there may be two texts in one.
 */
const LONGEST_TEXT = 500;

export class Supervisor implements LifecycleListener, Disposable {
  readonly #socket: NotifySocket | undefined;
  readonly #world: Pick<World, "monotonic" | "pid">;
  readonly #logger: Logger;
  readonly #services: Pick<Lifecycle, "hanging">;
  #isHanging = false;
  /** While it runs, in a line. */
  #detail: string | undefined;
  #refusal: string | undefined;
  #isReady = false;
  #watchdog: ReturnType<typeof setInterval> | undefined;

  /** @param socket undefined where no service manager listens */
  constructor(
    socket: NotifySocket | undefined,
    world: Pick<World, "monotonic" | "pid">,
    logger: Logger,
    services: Pick<Lifecycle, "hanging">,
  ) {
    this.#socket = socket;
    this.#world = world;
    this.#logger = logger;
    this.#services = services;
  }

  /** Tells more of a daemon that runs. */
  detail(text: string): void {
    this.#detail = oneLine(text);
    if (this.#isReady) this.#tell(`STATUS=${this.#status()}`);
  }

  changed(phase: Phase): void {
    this.#isReady = phase.kind === "ready";
    switch (phase.kind) {
      case "starting":
        return this.#tell(`STATUS=starting: ${phase.what}`);
      case "ready":
        return this.#ready(phase.refusal);
      case "reloading": {
        const now = this.#world.monotonic();
        return this.#tell(
          `RELOADING=1\nMONOTONIC_USEC=${now}\nSTATUS=reloading`,
        );
      }
      case "draining":
        return this.#draining(phase.takes);
      case "stopping":
        return this.#tell("STATUS=stopping");
      case "failed":
        return this.#tell(`STATUS=failed: ${oneLine(phase.reason)}`);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog);
  }

  // A reload succeeds for whoever asked: what became of it is in the status.
  #ready(refusal: string | undefined): void {
    this.#refusal = refusal;
    const status = this.#status();
    this.#tell(`READY=1\nMAINPID=${this.#world.pid}\nSTATUS=${status}`);
    const interval = this.#socket?.watchdogMs;
    if (interval === undefined) return;
    // As sd_watchdog_enabled(3) recommends.
    this.#watchdog ??= setInterval(
      () => this.#comfortWatchdog(),
      interval / 2,
    );
  }

  #status(): string {
    return [
      "running",
      ...(this.#detail === undefined ? [] : [this.#detail]),
      ...(this.#refusal === undefined
        ? []
        : [`the last reload was refused: ${oneLine(this.#refusal)}`]),
    ].join("; ");
  }

  // As long as that takes it is not to be killed (TimeoutStopSec=).
  #draining(takes = 0): void {
    const more = (takes + USUAL_END_MS) * 1000;
    const extension = takes === 0 ? "" : `EXTEND_TIMEOUT_USEC=${more}\n`;
    this.#tell(`STOPPING=1\n${extension}STATUS=draining`);
  }

  // Not by the mere timer: a daemon that carries nothing is to be restarted.
  #comfortWatchdog(): void {
    const hanging = this.#services.hanging();
    if (hanging === undefined) {
      this.#isHanging = false;
      return this.#tell("WATCHDOG=1");
    }
    if (!this.#isHanging) {
      this.#logger.error(
        `the ${hanging} hangs: the watchdog of the service manager is to end this`,
      );
    }
    this.#isHanging = true;
  }

  #tell(text: string): void {
    try {
      this.#socket?.send(text);
    } catch (error) {
      this.#logger.warning(
        `Cannot notify the service manager: ${reasonOf(error)}`,
      );
    }
  }
}

/** One line is one variable, and what is too long is heard by nobody. */
function oneLine(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length <= LONGEST_TEXT
    ? line
    : `${line.slice(0, LONGEST_TEXT).toWellFormed()}…`;
}
