// Folder of sockets below /run, which is empty at each start of the system.

import { Errno } from "../errno.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";

const FOLDER_MODE = 0o755;

/**
 * Makes it unless something has the name: what is in the way shows when a file
 * is made in it.
 * @throws {SystemError} When it cannot be made.
 */
export function makeRunFolder(libc: ProcessLibc, path: string): void {
  if (libc.process.mkdir(cString(path), FOLDER_MODE) === 0) return;
  const error = libc.error(`make the folder '${path}'`, "mkdir");
  if (error.errno !== Errno.EEXIST) throw error;
}
