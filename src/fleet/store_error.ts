// Error of a store that holds the records of a fleet.

interface StoreErrorOptions {
  /** It has not answered: it may have done what it was asked. */
  readonly isUnreachable?: boolean;
  /** It has told more than is taken at once, or than came in time. */
  readonly isTooLong?: boolean;
  /** Of gRPC, if it has told one. */
  readonly code?: number | undefined;
  readonly cause?: unknown;
}

export class StoreError extends Error {
  readonly isUnreachable: boolean;
  readonly isTooLong: boolean;
  readonly code: number | undefined;

  constructor(
    message: string,
    { isUnreachable = false, isTooLong = false, code, cause }:
      StoreErrorOptions = {},
  ) {
    super(message, { cause });
    this.name = "StoreError";
    this.isUnreachable = isUnreachable;
    this.isTooLong = isTooLong;
    this.code = code;
  }
}
