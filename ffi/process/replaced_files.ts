// Files that are replaced as a whole, within a folder that is open.

import { Errno, type SystemError } from "../errno.ts";
import { O } from "../flags.ts";
import { cString } from "../libc.ts";
import { writeDescriptor } from "./file.ts";
import type { ProcessLibc } from "./libc.ts";

const MODE = 0o600;

interface ReplacedIn {
  readonly folder: number;
  /** The path of a name, or of the folder without one. */
  readonly pathOf: (name?: string) => string;
  /** Makes a new file that of somebody else. */
  readonly adopt?: (fd: number, name: string) => void;
}

export type FileContents = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/**
 * Each file has what is given, or what it had before, whatever happens; all have
 * what is given, also after a loss of power, once this returns.
 * @throws {SystemError} When a step fails: nothing is left beside the files.
 */
export function replaceFiles(
  libc: ProcessLibc,
  place: ReplacedIn,
  files: FileContents,
): void {
  const { folder, pathOf } = place;
  const { renameat, unlinkat } = libc.process;
  try {
    for (const [name, bytes] of files) writeBeside(libc, place, name, bytes);
    for (const name of files.keys()) {
      const fresh = cString(freshName(name));
      if (renameat(folder, fresh, folder, cString(name)) === 0) continue;
      throw libc.error(`replace '${pathOf(name)}'`, "renameat");
    }
  } catch (error) {
    for (const name of files.keys()) {
      unlinkat(folder, cString(freshName(name)), 0);
    }
    throw error;
  }
  synchroniseFolder(libc, folder, pathOf());
}

function writeBeside(
  libc: ProcessLibc,
  { folder, pathOf, adopt }: ReplacedIn,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  // The same name each time: what a killed program has left may be a secret.
  const fresh = cString(freshName(name));
  libc.process.unlinkat(folder, fresh, 0);
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
  const fd = libc.process.openat(folder, fresh, flags, MODE);
  const path = pathOf(name);
  if (fd < 0) throw libc.error(`make a file beside '${path}'`, "openat");
  try {
    adopt?.(fd, name);
    writeDescriptor(libc, fd, path, bytes);
    synchronise(libc, fd, path);
  } finally {
    libc.symbols.close(fd);
  }
}

function synchronise(libc: ProcessLibc, fd: number, path: string): void {
  if (libc.process.fsync(fd) === 0) return;
  throw syncError(libc, path);
}

// fsync(2): EINVAL where that is not for folders, as on some 9p, CIFS and vboxsf.
// Then there is no more to be done, and the files themselves are on the disk.
function synchroniseFolder(libc: ProcessLibc, fd: number, path: string): void {
  if (libc.process.fsync(fd) === 0) return;
  const error = syncError(libc, path);
  if (error.errno !== Errno.EINVAL) throw error;
}

function syncError(libc: ProcessLibc, path: string): SystemError {
  return libc.error(`write '${path}' to its disk`, "fsync");
}

/** Beside the file, and hidden. */
function freshName(name: string): string {
  return `.${name}.new`;
}
