// Error of a store that holds the records of a fleet.

interface StoreErrorOptions {
  /** It has not answered: it may have done what it was asked. */
  readonly isUnreachable?: boolean;
  /** It has told more than is taken at once, or than came in time. */
  readonly isTooLong?: boolean;
  /** Bytes of an answer that have come, where it was not whole in time. */
  readonly received?: number;
  /** Of gRPC, if it has told one. */
  readonly code?: number | undefined;
  readonly cause?: unknown;
}

export class StoreError extends Error {
  readonly isUnreachable: boolean;
  readonly isTooLong: boolean;
  readonly received: number;
  readonly code: number | undefined;

  constructor(
    message: string,
    {
      isUnreachable = false,
      isTooLong = false,
      received = 0,
      code,
      cause,
    }: StoreErrorOptions = {},
  ) {
    super(message, { cause });
    this.name = "StoreError";
    this.isUnreachable = isUnreachable;
    this.isTooLong = isTooLong;
    this.received = received;
    this.code = code;
  }
}
