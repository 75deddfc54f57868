// Kinds of what lies at a path, without opening it.
import { SystemError } from "../../ffi/errno.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { mayExecute, statPath } from "../../ffi/process/stat.ts";
import type { PathKind } from "../config/config_place.ts";

const MAY_RUN = 0o111;

export function kindOf(libc: ProcessLibc, path: string): PathKind {
  try {
    const { kind, mode } = statPath(libc, path);
    if (kind === "folder") return kind;
    return kind === "regular file" && (mode & MAY_RUN) !== 0
      ? "program"
      : "file";
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const isNone = error.code === "ENOENT" || error.code === "ENOTDIR";
    return isNone ? "none" : "unseen";
  }
}

/** A `program` is one that this user may run, from where it lies. */
export function ownKindOf(libc: ProcessLibc, path: string): PathKind {
  const kind = kindOf(libc, path);
  return kind === "program" && !mayExecute(libc, path) ? "file" : kind;
}
