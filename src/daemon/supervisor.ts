/**
 * What a service manager wants to know: the protocol of sd_notify(3) and
 * sd_watchdog_enabled(3).
 *
 * @module
 */
import type { Logger } from "../log/logger.ts";

/** How a service manager is reached. */
export interface NotifySocket {
  /** @throws if it cannot be sent */
  send(text: string): void;
  /** How often the manager wants a sign of life, in ms; none if undefined. */
  readonly watchdogMs: number | undefined;
}

/** Tells a service manager how it goes; disposing of it ends that. */
export class Supervisor implements Disposable {
  readonly #socket: NotifySocket | undefined;
  readonly #logger: Logger;
  #watchdog: ReturnType<typeof setInterval> | undefined;

  /** @param socket undefined where no service manager listens */
  constructor(socket: NotifySocket | undefined, logger: Logger) {
    this.#socket = socket;
    this.#logger = logger;
  }

  /** Says what it is that takes so long. */
  status(text: string): void {
    this.#tell(`STATUS=${text}`);
  }

  /** Everything is set up; from now on there are signs of life. */
  ready(pid: number): void {
    this.#tell(`READY=1\nMAINPID=${pid}\nSTATUS=running`);
    const interval = this.#socket?.watchdogMs;
    if (interval === undefined) return;
    // Half of the time, as sd_watchdog_enabled(3) recommends.
    this.#watchdog = setInterval(() => this.#tell("WATCHDOG=1"), interval / 2);
  }

  /** The end begins. */
  stopping(): void {
    this.#tell("STOPPING=1\nSTATUS=stopping");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog);
  }

  #tell(text: string): void {
    try {
      this.#socket?.send(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.warning(`the service manager is not to be told: ${reason}`);
    }
  }
}
