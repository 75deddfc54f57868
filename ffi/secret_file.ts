/**
 * Files that hold a secret.
 *
 * @module
 */

import { readDescriptor } from "./file.ts";
import { O } from "./flags.ts";
import { cString } from "./libc.ts";
import type { ProcessLibc } from "./process_libc.ts";
import { statDescriptor } from "./stat.ts";

const STANDARD_INPUT = 0;
const LIMIT = 4096;

/** Permission bits of those who are neither owner nor in the group. */
const OTHERS = 0o007;

/** What a file holds, and who else may see it. */
interface SecretFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether users other than the owner and the group have access. */
  readonly isPublic: boolean;
}

/**
 * Reads a file. Its permissions are those of the very file that was read,
 * whatever its name stands for a moment later.
 *
 * @param limit Bytes that it may have at most.
 * @throws {SystemError} When it cannot be opened or read.
 * @throws {RangeError} When it is longer.
 */
export function readSecretFile(
  libc: ProcessLibc,
  path: string,
  limit = LIMIT,
): SecretFile {
  const fd = libc.symbols.open(cString(path), O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) throw libc.error(`open '${path}'`, "open");
  try {
    const isPublic = (statDescriptor(libc, fd, path).mode & OTHERS) !== 0;
    return { bytes: readDescriptor(libc, fd, path, limit), isPublic };
  } finally {
    libc.symbols.close(fd);
  }
}

/**
 * Reads a secret from standard input to its end.
 *
 * @throws {SystemError} When it cannot be read.
 * @throws {RangeError} When it is longer than 4096 bytes.
 */
export function readSecretInput(libc: ProcessLibc): SecretFile {
  const name = "standard input";
  return {
    bytes: readDescriptor(libc, STANDARD_INPUT, name, LIMIT),
    isPublic: false,
  };
}
