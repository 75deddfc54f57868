// Error of an engine that holds the records of a fleet.

interface EngineErrorOptions {
  /** It has not answered: it may have done what it was asked. */
  readonly isUnreachable?: boolean;
  /** Of gRPC, if it has told one. */
  readonly code?: number | undefined;
  readonly cause?: unknown;
}

export class EngineError extends Error {
  readonly isUnreachable: boolean;
  readonly code: number | undefined;

  constructor(
    message: string,
    { isUnreachable = false, code, cause }: EngineErrorOptions = {},
  ) {
    super(message, { cause });
    this.name = "EngineError";
    this.isUnreachable = isUnreachable;
    this.code = code;
  }
}
