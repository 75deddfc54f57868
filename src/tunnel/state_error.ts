// The reason why a state folder is of no use.
import { reasonOf } from "../log/reason.ts";

/**
 * A state folder cannot be made, opened or locked, belongs to another user, or
 * others may write to it. The message says which of these, and what helps.
 */
export class StateError extends Error {
  /** Always `StateError`. */
  override readonly name = "StateError";
  /** The folder, as it was given. */
  readonly path: string;

  /**
   * Makes an error.
   *
   * @param path The folder, as it was given
   * @param cause The first thing that failed
   */
  constructor(path: string, cause: unknown) {
    super(`${reasonOf(cause)} (stateDir)`, { cause });
    this.path = path;
  }
}
