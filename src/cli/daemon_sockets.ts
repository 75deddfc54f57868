// Sockets that daemons of this host answer at, by names that people give.
import { SystemError } from "../../ffi/errno.ts";
import { effectiveUser, findUser } from "../../ffi/process/identity.ts";
import { folderNames } from "../../ffi/process/names.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { statName } from "../../ffi/process/stat.ts";
import { PACKAGED_USER } from "../config/host_files.ts";
import { SOCKET_SUFFIX, socketIn, STATUS_FOLDER } from "../config/status.ts";
import { reasonOf } from "../log/reason.ts";

/**
 * @param name Of a config file, or the path of a socket
 * @returns The path of the socket
 */
export function socketOf(name: string): string {
  return name.includes("/") ? name : socketIn(STATUS_FOLDER, name);
}

/**
 * @returns The paths of all sockets, by their names
 * @throws if there is none
 */
export function allSockets(libc: ProcessLibc): readonly string[] {
  const names = folderNames(libc, STATUS_FOLDER)
    .filter((name) => name.endsWith(SOCKET_SUFFIX)).toSorted();
  if (names.length > 0) return names.map((name) => `${STATUS_FOLDER}/${name}`);
  throw new Error(
    `no daemon has a socket in ${STATUS_FOLDER} (--status-socket)`,
  );
}

/**
 * The one that is meant.
 * @param name As people have given it, if they have
 * @throws if none was given, and there are several, or none
 */
export function oneSocket(name: string | undefined, libc: ProcessLibc): string {
  if (name !== undefined) return socketOf(name);
  const [first = "", ...others] = allSockets(libc);
  if (others.length === 0) return first;
  const names = [first, ...others].map((path) =>
    path.slice(STATUS_FOLDER.length + 1, -SOCKET_SUFFIX.length)
  );
  throw new Error(
    `there are several daemons, so one has to be named: ${names.join(", ")}`,
  );
}

/**
 * Whom daemons of this host run as, but for root. A unit may have another user
 * than that of the package: the folder of its sockets, which nobody but root can
 * make, is that user's.
 */
export function usersOfDaemons(
  libc: ProcessLibc,
  folder: string = STATUS_FOLDER,
): readonly (number | undefined)[] {
  const packaged = findUser(libc, PACKAGED_USER)?.uid;
  return [effectiveUser(libc), packaged, ownerOf(libc, folder)];
}

function ownerOf(libc: ProcessLibc, folder: string): number | undefined {
  try {
    return statName(libc, folder).owner;
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

export function whyNoAnswer(path: string, error: unknown): string {
  const code = error instanceof SystemError ? error.code : undefined;
  if (code === "ENOENT" || code === "ECONNREFUSED") {
    return `${path}: no daemon answers here; ` +
      "is it running, and with this --status-socket?";
  }
  const who = code === "EACCES"
    ? "; root may ask, and with the package's unit the user anytun"
    : "";
  return `${path}: ${reasonOf(error)}${who}`;
}
