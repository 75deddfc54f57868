// The guard of an announcement: beats that say that this daemon is alive, and
// what comes of it where they stop.
import type { Logger } from "../log/logger.ts";

/** A hang of who carries is noticed after {@linkcode PATIENCE_MS}. */
export const BEAT_MS = 100;
export const PATIENCE_MS = 700;
/**
 * One of the main thread alone, where threads of their own carry: a disk may take
 * it seconds. Less than what the kernel has left of an address when it is renewed.
 */
export const MAIN_PATIENCE_MS = 5000;

export type GuardWord =
  | { readonly kind: "ready" }
  /** There was no beat for long. */
  | { readonly kind: "withdrawn" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "gone" };

/** The process. Disposing of it lets it go, without a change. */
export interface GuardHandle extends Disposable {
  /** Where beats go, as long as the process lives. */
  readonly socket: number;
  /** @returns false if it does not take it */
  beat(): boolean;
  /** Waits for nothing. */
  heard(): GuardWord | undefined;
  /** Resolves when it has ended, with how. */
  ending(): Promise<string>;
}

type GuardState = "starting" | "watching" | "stuck" | "gone";

const WITHOUT = "if this daemon is killed or hangs, the address goes only " +
  "after seconds, by the kernel; start it again to have a guard";

export class Guard implements Disposable {
  readonly #handle: GuardHandle;
  readonly #logger: Logger;
  #state: GuardState = "starting";

  constructor(handle: GuardHandle, logger: Logger) {
    this.#handle = handle;
    this.#logger = logger;
  }

  get state(): GuardState {
    return this.#state;
  }

  get isWatching(): boolean {
    return this.#state === "watching";
  }

  /** @returns Whether it has withdrawn what is announced */
  beat(): boolean {
    if (this.#state === "gone") return false;
    const isTaken = this.#handle.beat();
    let hasWithdrawn = false;
    for (;;) {
      const word = this.#handle.heard();
      if (word === undefined) break;
      if (word.kind === "withdrawn") hasWithdrawn = true;
      if (word.kind === "ready") this.#state = "watching";
      if (word.kind === "failed") this.#say(`has failed: ${word.reason}`);
      if (word.kind !== "gone") continue;
      this.#lost();
      return hasWithdrawn;
    }
    this.#notice(isTaken);
    return hasWithdrawn;
  }

  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }

  #notice(isTaken: boolean): void {
    if (isTaken && this.#state === "stuck") this.#state = "watching";
    if (isTaken || this.#state === "stuck") return;
    this.#state = "stuck";
    this.#say("does not answer");
  }

  #lost(): void {
    this.#state = "gone";
    const tell = (how: string) => this.#say(`has ended (${how})`);
    this.#handle.ending().then(tell, () => tell("nobody knows how"));
  }

  #say(what: string): void {
    this.#logger.error(`the guard of the announcement ${what}: ${WITHOUT}`);
  }
}
