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
 * Whole or not at all, and on its disk: a network file system, or a quota, may
 * say only then that there is no room.
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
    writeWhole(libc, fd, path, bytes);
  } catch (error) {
    remove();
    throw error;
  }
  return { remove };
}

/** Closes it as well. */
function writeWhole(
  libc: ProcessLibc,
  fd: number,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  let isOpen = true;
  try {
    writeDescriptor(libc, fd, path, bytes);
    if (libc.process.fsync(fd) !== 0) {
      throw libc.error(`write '${path}' to its disk`, "fsync");
    }
    isOpen = false;
    if (libc.symbols.close(fd) !== 0) {
      throw libc.error(`write '${path}'`, "close");
    }
  } finally {
    if (isOpen) libc.symbols.close(fd);
  }
}

function refusal(libc: ProcessLibc, path: string): Error {
  const error = libc.error(`make '${path}'`, "open");
  if (error.errno !== Errno.EEXIST) return error;
  return new Error(
    `Cannot make '${path}': something has this name, and is left alone`,
    { cause: error },
  );
}
