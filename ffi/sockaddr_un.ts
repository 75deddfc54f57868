/**
 * Addresses of unix sockets in memory: struct sockaddr_un (unix(7)).
 *
 * @module
 */

import { AF } from "./flags.ts";
/** Address family of unix sockets. */

/** Bytes of the longest path that has an address. */
const UNIX_PATH_MAX = 107;

const PATH_AT = 2;

/** An address as bind(2) and connect(2) take it. */
interface UnixAddress {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many of the bytes count; an abstract name has no zero behind it. */
  readonly size: number;
}

/**
 * @param path A path, or an abstract name with `@` at its begin.
 * @throws {RangeError} When it is longer than {@linkcode UNIX_PATH_MAX} bytes.
 */
export function unixAddress(path: string): UnixAddress {
  const text = new TextEncoder().encode(path);
  if (text.length > UNIX_PATH_MAX) {
    throw new RangeError(
      `Cannot reach '${path}': it is longer than ${UNIX_PATH_MAX} bytes`,
    );
  }
  const bytes = new Uint8Array(PATH_AT + UNIX_PATH_MAX + 1);
  new DataView(bytes.buffer).setUint16(0, AF.UNIX, true);
  bytes.set(text, PATH_AT);
  const isAbstract = path.startsWith("@");
  if (isAbstract) bytes[PATH_AT] = 0;
  return { bytes, size: PATH_AT + text.length + (isAbstract ? 0 : 1) };
}
