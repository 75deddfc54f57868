// Files that a daemon reads, appends to and keeps, on the running system.
import { openAppend } from "../../ffi/process/append_file.ts";
import { KeptFile, readKeptFile } from "../../ffi/process/kept_file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { makeRunFolder } from "../../ffi/process/run_folder.ts";
import {
  readSecretFile,
  requireRepeatable,
} from "../../ffi/process/secret_file.ts";
import { StateFolder } from "../../ffi/process/state_folder.ts";
import { statName, statOrNone, statPathNow } from "../../ffi/process/stat.ts";
import { CHAIN_FILE_LIMIT } from "../satp/key_chain_file.ts";
import type { World } from "./world.ts";

/** Enough for tens of thousands of connections. */
const MAX_FILE_BYTES = 64 << 20;

type WorldFiles = Pick<
  World,
  | "fileIdentity"
  | "fileVersion"
  | "makeRunFolder"
  | "openFile"
  | "openKeptFile"
  | "openStateFolder"
  | "readKeyChain"
  | "readSecretFile"
>;

/** @param absolute Path of a file, from where the daemon was started */
export function systemFiles(
  libc: ProcessLibc,
  absolute: (path: string) => string,
): WorldFiles {
  // Those that were read before: a daemon that runs must not wait for a pipe.
  const secretFiles = new Set<string>();
  return {
    openFile: (path) => openAppend(libc, absolute(path)),
    fileIdentity: (path) => fileIdentity(libc, absolute(path)),
    fileVersion: (path) => fileVersion(libc, absolute(path)),
    readSecretFile(path) {
      const file = absolute(path);
      if (secretFiles.has(file)) requireRepeatable(libc, file);
      secretFiles.add(file);
      return readSecretFile(libc, file, MAX_FILE_BYTES);
    },
    readKeyChain: (path) =>
      readKeptFile(libc, absolute(path), CHAIN_FILE_LIMIT),
    openKeptFile: (path) =>
      new KeptFile(libc, absolute(path), CHAIN_FILE_LIMIT),
    makeRunFolder: (path) => makeRunFolder(libc, path),
    openStateFolder: (path, owner) =>
      new StateFolder(libc, absolute(path), owner),
  };
}

function fileIdentity(libc: ProcessLibc, path: string): string | undefined {
  try {
    return statName(libc, path).identity;
  } catch {
    // Whoever reads it says why.
    return undefined;
  }
}

function fileVersion(libc: ProcessLibc, path: string): string | undefined {
  const file = statOrNone(() => statPathNow(libc, path));
  return file && `${file.identity} ${file.version}`;
}
