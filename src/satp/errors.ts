/** Why a datagram or a parameter was refused. */
export type SatpErrorCode =
  | "BAD_PARAMETER"
  | "BAD_KEY"
  | "BAD_SALT"
  | "TOO_SHORT"
  | "TOO_LONG"
  | "WRONG_MUX"
  | "WRONG_TAG"
  | "BAD_PAYLOAD_TYPE";

/** An error of the protocol layer; `code` says which rule was broken. */
export class SatpError extends Error {
  /** Machine-readable reason. */
  readonly code: SatpErrorCode;

  /**
   * Makes an error.
   *
   * @param code Machine-readable reason
   * @param message Text for people; never holds key material
   */
  constructor(code: SatpErrorCode, message: string) {
    super(message);
    this.name = "SatpError";
    this.code = code;
  }
}
