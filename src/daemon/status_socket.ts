// The unix socket for `anytun status`: which one it is.
import type { AnytunOptions } from "../config/anytun.ts";
import { NO_SOCKET, socketIn, STATUS_FOLDER } from "../config/status.ts";

/** Where `anytun status` is answered. */
export interface StatusSocket {
  readonly path: string;
  /** To be made, if there is none; undefined where people have named a path. */
  readonly folder: string | undefined;
}

/** @returns undefined for none */
export function statusSocketOf(
  { name, statusSocket }: Pick<AnytunOptions, "name" | "statusSocket">,
  folder: string = STATUS_FOLDER,
): StatusSocket | undefined {
  if (statusSocket !== undefined) {
    return statusSocket === NO_SOCKET
      ? undefined
      : { path: statusSocket, folder: undefined };
  }
  if (folder === NO_SOCKET) return undefined;
  return { path: socketIn(folder, name), folder };
}
