// Small files that appear under their name complete. What has the name before
// is replaced, never written to.

import { Errno, type SystemError } from "../errno.ts";
import { readDescriptor, writeDescriptor } from "./file.ts";
import { O } from "../flags.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";
import { statName, statOrNone, statPath } from "./stat.ts";

export interface PlacedFile {
  /** Unless another file has the name by now. */
  remove(): void;
  /** Afterwards nothing can be removed. */
  close(): void;
}

interface NewFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Permission bits, less those of the umask. */
  readonly mode: number;
  /** For the temporary name. */
  readonly suffix: string;
}

/**
 * Replaces a regular file or a symbolic link. The folder stays open, so that
 * the file is removed from the same one.
 * @throws {Error} When something else has the name, such as a folder.
 */
export function placeFile(
  libc: ProcessLibc,
  path: string,
  file: NewFile,
): PlacedFile {
  const name = path.slice(path.lastIndexOf("/") + 1);
  requireReplaceable(libc, path);
  let folder = openFolder(
    libc,
    path.slice(0, path.length - name.length) || ".",
  );
  const close = (): void => {
    if (folder >= 0) libc.symbols.close(folder);
    folder = -1;
  };
  try {
    place(libc, folder, name, file, path);
  } catch (error) {
    close();
    throw error;
  }
  return {
    remove() {
      if (folder >= 0) removeOwn(libc, folder, name, file.bytes, path);
    },
    close,
  };
}

/** Who says /dev/stdout does not want to lose it, nor a folder. */
function requireReplaceable(libc: ProcessLibc, path: string): void {
  const kind = statOrNone(() => statName(libc, path))?.kind;
  if (kind === undefined || kind === "regular file") return;
  const end = kind === "symbolic link" &&
    statOrNone(() => statPath(libc, path))?.kind;
  if (end === undefined || end === "regular file") return;
  const what = end === false ? kind : `${kind} to a ${end}`;
  throw new Error(
    `Cannot replace '${path}': it is a ${what}; it has to be the name of a ` +
      "regular file, or of none yet",
  );
}

function openFolder(libc: ProcessLibc, path: string): number {
  const flags = O.PATH | O.DIRECTORY | O.CLOEXEC;
  const fd = libc.symbols.open(cString(path), flags, 0);
  if (fd < 0) throw libc.error(`open the folder '${path}'`, "open");
  return fd;
}

function place(
  libc: ProcessLibc,
  folder: number,
  name: string,
  { bytes, mode, suffix }: NewFile,
  path: string,
): void {
  const { openat, renameat, unlinkat } = libc.process;
  const own = cString(`.${name}.${suffix}`);
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
  const fd = openat(folder, own, flags, mode);
  if (fd < 0) throw libc.error(`make a file beside '${path}'`, "openat");
  try {
    try {
      writeDescriptor(libc, fd, path, bytes);
    } finally {
      libc.symbols.close(fd);
    }
    if (renameat(folder, own, folder, cString(name)) !== 0) {
      throw libc.error(`replace '${path}'`, "renameat");
    }
  } catch (error) {
    unlinkat(folder, own, 0);
    throw error;
  }
}

function removeOwn(
  libc: ProcessLibc,
  folder: number,
  name: string,
  bytes: Uint8Array,
  path: string,
): void {
  const { openat, unlinkat } = libc.process;
  const flags = O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.CLOEXEC;
  const fd = openat(folder, cString(name), flags, 0);
  if (fd < 0) {
    const error = libc.error(`open '${path}'`, "openat");
    if (isSomebodyElses(error)) return;
    throw error;
  }
  try {
    const found = readDescriptor(libc, fd, path, bytes.length + 1);
    const same = found.length === bytes.length &&
      found.every((byte, index) => byte === bytes[index]);
    if (!same) return;
  } catch (error) {
    if (error instanceof RangeError) return;
    throw error;
  } finally {
    libc.symbols.close(fd);
  }
  if (unlinkat(folder, cString(name), 0) !== 0) {
    throw libc.error(`remove '${path}'`, "unlinkat");
  }
}

/** No file, or a symbolic link: not what was placed. */
function isSomebodyElses({ errno }: SystemError): boolean {
  return errno === Errno.ENOENT || errno === Errno.ELOOP;
}
