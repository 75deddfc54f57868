// The options of a daemon while it runs: read again at a HUP, checked by all
// services, and then taken over by all of them, or by none.
import type { ReadAgain } from "../config/read_again.ts";
import type { Reading } from "../config/reading.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { Service } from "./lifecycle.ts";

/** What a daemon is started with. */
export interface Configured<O> extends Reading<O> {
  /** Without it there is nothing to read again. */
  readonly readAgain?: ReadAgain<O> | undefined;
}

export class LiveOptions<O> {
  readonly #readAgain: ReadAgain<O> | undefined;
  readonly #logger: Logger;
  #inForce: Reading<O>;
  #refusal: string | undefined;

  constructor({ readAgain, ...first }: Configured<O>, logger: Logger) {
    this.#readAgain = readAgain;
    this.#logger = logger;
    this.#inForce = first;
  }

  /** Why the last time nothing was taken over. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /**
   * Reads the options again. Where anything is at fault, one line says so, and
   * everything stays as it was.
   *
   * @returns What is in force from now on
   */
  async renew(services: readonly Service<O>[]): Promise<O> {
    const live = new Set(services.flatMap(({ live = [] }) => live));
    const { values } = this.#inForce;
    this.#refusal = undefined;
    try {
      const next = this.#readAgain?.({
        values,
        isLive: (key) => live.has(key),
      });
      if (next === undefined) return this.#inForce.options;
      await check(services, next.options);
      this.#tell(next);
      this.#inForce = next;
    } catch (error) {
      // Syntax errors have several lines.
      const reason = reasonOf(error).replaceAll(/\s*\n\s*\^?/g, "; ");
      this.#refusal = reason;
      this.#logger.error(
        `Cannot take over the options, nothing is changed: ${reason}`,
      );
    }
    return this.#inForce.options;
  }

  #tell({ warnings, changed: { live, waiting } }: Reading<O>): void {
    const known = new Set(this.#inForce.warnings);
    for (const warning of warnings) {
      if (!known.has(warning)) this.#logger.warning(warning);
    }
    if (live.length > 0) {
      this.#logger.notice(`options that have changed: ${live.join(", ")}`);
    }
    for (const name of waiting) {
      this.#logger.warning(
        `${name} has changed: takes effect at the next start`,
      );
    }
  }
}

async function check<O>(
  services: readonly Service<O>[],
  options: O,
): Promise<void> {
  using undo = new DisposableStack();
  for (const service of services) await service.check?.(options, undo);
  // All of them agree: what they have opened is theirs.
  undo.move();
}
