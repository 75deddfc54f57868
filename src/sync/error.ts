// Faults in a stream of records.

/** In the words of the original, which appear in its log lines. */
export type SyncFault =
  | "input stream error"
  | "invalid signature"
  | "Invalid argument";

export class SyncError extends Error {
  readonly fault: SyncFault;

  /** @param message Never holds bytes of the stream, which may be keys */
  constructor(fault: SyncFault, message: string) {
    super(message);
    this.name = "SyncError";
    this.fault = fault;
  }
}
