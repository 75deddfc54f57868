/**
 * What can be wrong with a stream of records.
 *
 * @module
 */

/** The words of the original for it, which appear in its log lines. */
export type SyncFault =
  | "input stream error"
  | "invalid signature"
  | "Invalid argument";

/** A stream that is not what sync section 2 says. */
export class SyncError extends Error {
  /** The reason in the words of the original. */
  readonly fault: SyncFault;

  /**
   * Makes an error.
   *
   * @param message Text for people; never holds bytes of the stream, which may
   * be keys
   */
  constructor(fault: SyncFault, message: string) {
    super(message);
    this.name = "SyncError";
    this.fault = fault;
  }
}
