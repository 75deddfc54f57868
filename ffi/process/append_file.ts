// Files that grow at their end, such as logs. Whoever may write to the folder
// must not be able to make root write to another file.

import { writeDescriptor } from "./file.ts";
import { O } from "../flags.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";
import {
  type FileStatus,
  statDescriptor,
  statName,
  statOrNone,
} from "./stat.ts";

interface AppendFile {
  /** In one call, if the kernel takes all of it. */
  write(bytes: Uint8Array<ArrayBuffer>): void;
  /** A second call does nothing. */
  close(): void;
}

/**
 * The file is made if there is none. It has to be a regular file with one name,
 * so that it is nobody else's, or a character device, which only root can make.
 * A symbolic link is not followed.
 * @throws {Error} When it is something else.
 */
export function openAppend(
  libc: ProcessLibc,
  path: string,
  mode = 0o640,
): AppendFile {
  // Without O_NONBLOCK, a FIFO would block until somebody reads it.
  const flags = O.WRONLY | O.APPEND | O.CREAT | O.CLOEXEC | O.NOFOLLOW |
    O.NONBLOCK | O.NOCTTY;
  let fd = libc.symbols.open(cString(path), flags, mode);
  if (fd < 0) throw refusal(libc, path);
  try {
    requireOwn(path, statDescriptor(libc, fd, path));
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
  return {
    write(bytes) {
      writeDescriptor(libc, fd, path, bytes);
    },
    close() {
      if (fd >= 0) libc.symbols.close(fd);
      fd = -1;
    },
  };
}

/**
 * What the file is says more than the error number, where it is not allowed.
 */
function refusal(libc: ProcessLibc, path: string): unknown {
  const error = libc.error(`open '${path}'`, "open");
  const status = statOrNone(() => statName(libc, path));
  if (status === undefined) return error;
  try {
    requireOwn(path, status);
    return error;
  } catch (fault) {
    return fault;
  }
}

function requireOwn(path: string, { kind, names }: FileStatus): void {
  if (kind === "character device") return;
  const refuse = (what: string): never => {
    throw new Error(`Cannot write to '${path}': ${what}`);
  };
  if (kind === "symbolic link") {
    refuse(
      "it is a symbolic link, which is not followed; give the path of the " +
        "file itself",
    );
  }
  if (kind !== "regular file") {
    refuse(
      `it is a ${kind}; it has to be a regular file, or a character device ` +
        "such as /dev/null",
    );
  }
  if (names !== 1) {
    refuse(`it has ${names} names (hard links); it has to have this one only`);
  }
}
