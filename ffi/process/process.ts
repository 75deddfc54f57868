// The process's own environment, arguments, name and surroundings.

import { readFile } from "./file.ts";
import { PR } from "../flags.ts";
import { cString, type Libc } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";

const PATH_MAX = 4096;
// proc_pid_stat(5): fields counted from 1, of which the first two are cut off.
const ARG_START_AT = 48 - 3;
const ARG_END_AT = 49 - 3;
const HASH = 0x23;
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** As at the start. Unlike `Deno.env` it needs no permission. */
export function readEnvironment(libc: Libc): Map<string, string> {
  const text = new TextDecoder().decode(readFile(libc, "/proc/self/environ"));
  const variables = new Map<string, string>();
  for (const entry of text.split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) {
      variables.set(entry.slice(0, equals), entry.slice(equals + 1));
    }
  }
  return variables;
}

/**
 * Hides arguments from `ps` and /proc; each keeps its length.
 * @param indexes 0 is the name of the program.
 * @throws {Error} When the arguments are not where /proc says.
 */
export function overwriteArguments(
  libc: Libc,
  indexes: readonly number[],
): void {
  if (indexes.length === 0) return;
  const bytes = argumentBytes(libc);
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const end = bytes.indexOf(0, at);
    if (end < 0) return;
    if (indexes.includes(index)) bytes.fill(HASH, at, end);
    at = end + 1;
  }
}

function argumentBytes(libc: Libc): Uint8Array {
  const stat = new TextDecoder().decode(readFile(libc, "/proc/self/stat"));
  // The second field is a name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = BigInt(fields[ARG_START_AT] ?? 0);
  const end = BigInt(fields[ARG_END_AT] ?? 0);
  const pointer = Deno.UnsafePointer.create(start);
  if (pointer === null || end <= start) {
    throw new Error(
      "Cannot overwrite the arguments: /proc does not show where they are",
    );
  }
  const size = Number(end - start);
  return new Uint8Array(
    Deno.UnsafePointerView.getArrayBuffer(pointer, size),
  );
}

/** For `ps`; on the main thread only. The kernel cuts it after 15 bytes. */
export function setProcessName(libc: ProcessLibc, name: string): void {
  libc.process.prctl(PR.SET_NAME, cString(name));
}

/** @returns The former mask. */
export function setUmask(libc: ProcessLibc, mask: number): number {
  return libc.process.umask(mask);
}

/** @throws {SystemError} When there is none, such as after its removal. */
export function workingDirectory(libc: ProcessLibc): string {
  const buffer = new Uint8Array(PATH_MAX);
  if (libc.process.getcwd(buffer, buffer.length) === null) {
    throw libc.error("find the working directory", "getcwd");
  }
  return new TextDecoder().decode(buffer.subarray(0, buffer.indexOf(0)));
}

/** Another one for each start of the system, as hexadecimal digits. */
export function readBootId(libc: Libc): string {
  return new TextDecoder().decode(readFile(libc, BOOT_ID));
}

export function interfaceIndex(
  libc: ProcessLibc,
  name: string,
): number | undefined {
  const index = libc.process.if_nametoindex(cString(name));
  return index === 0 ? undefined : index;
}
