// Files that nobody has had before.

import { Errno } from "../errno.ts";
import { AT, O } from "../flags.ts";
import { writeDescriptor } from "./file.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";

interface CreatedFile {
  /** @throws {SystemError} When that is not allowed. */
  remove(): void;
}

/**
 * Whole or not at all.
 * @param path A name that nothing has, not even a symbolic link.
 * @param mode Permission bits, less those of the umask.
 * @throws {Error} When something has the name, or it cannot be made or written.
 */
export function createFile(
  libc: ProcessLibc,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  mode: number,
): CreatedFile {
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
  const fd = libc.symbols.open(cString(path), flags, mode);
  if (fd < 0) throw refusal(libc, path);
  const remove = () => {
    if (libc.process.unlinkat(AT.FDCWD, cString(path), 0) !== 0) {
      throw libc.error(`remove '${path}'`, "unlinkat");
    }
  };
  try {
    try {
      writeDescriptor(libc, fd, path, bytes);
    } finally {
      libc.symbols.close(fd);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { remove };
}

function refusal(libc: ProcessLibc, path: string): Error {
  const error = libc.error(`make '${path}'`, "open");
  if (error.errno !== Errno.EEXIST) return error;
  return new Error(
    `Cannot make '${path}': something has this name, and is left alone`,
    { cause: error },
  );
}
