// Addresses of unix sockets: struct sockaddr_un (unix(7)).

import { AF } from "../flags.ts";

/** Without the zero byte at the end. */
const UNIX_PATH_MAX = 107;

const PATH_AT = 2;

interface UnixAddress {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** An abstract name has no zero byte behind it. */
  readonly size: number;
}

/**
 * @param path An abstract name has `@` in front.
 * @throws {RangeError} When it is longer than 107 bytes.
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
