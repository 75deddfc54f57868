// The time in which a member that is announced no more carries what still comes.
import type { Logger } from "../log/logger.ts";
import { QUIET_MS } from "../status/drain_watch.ts";

export interface DrainContext {
  /** Datagrams that have come from peers so far. */
  readonly received: () => number;
  readonly elapsed: () => number;
  readonly logger: Logger;
}

interface Draining {
  readonly began: number;
  seen: number;
  heard: number;
  readonly over: PromiseWithResolvers<void>;
}

export class Drain {
  readonly #context: DrainContext;
  #draining: Draining | undefined;

  constructor(context: DrainContext) {
    this.#context = context;
  }

  /** Also where it has not begun. */
  get isOver(): boolean {
    return this.#draining === undefined;
  }

  /** What was announced is so no more. */
  begin(): void {
    const { elapsed, logger, received } = this.#context;
    const now = elapsed();
    const over = Promise.withResolvers<void>();
    this.#draining = { began: now, seen: received(), heard: now, over };
    logger.notice("draining: what still comes is carried");
  }

  /** It is announced again. */
  cancel(): void {
    this.#draining?.over.resolve();
    this.#draining = undefined;
  }

  /**
   * Whether it is over by now: nothing has come for a moment.
   * @param seconds That it takes at the most
   */
  look(seconds: number): void {
    const draining = this.#draining;
    if (draining === undefined) return;
    const { elapsed, logger, received } = this.#context;
    const now = elapsed();
    const sum = received();
    if (sum !== draining.seen) draining.heard = now;
    draining.seen = sum;
    const isQuiet = now - draining.heard >= QUIET_MS;
    if (!isQuiet && now - draining.began < seconds * 1000) return;
    logger.notice(
      isQuiet
        ? `drained: nothing has come for ${QUIET_MS / 1000} s`
        : `drained for ${seconds} s (--drain-time), though something may come`,
    );
    this.cancel();
  }

  /** Resolves at once where there is nothing to wait for. */
  async finished(): Promise<void> {
    await this.#draining?.over.promise;
  }
}
