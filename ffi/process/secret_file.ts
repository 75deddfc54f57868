// Files that hold a secret.

import { readDescriptor } from "./file.ts";
import { O } from "../flags.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";
import { statDescriptor, statOrNone, statPath } from "./stat.ts";

const STANDARD_INPUT = 0;
const LIMIT = 4096;

/** Neither owner nor group. */
const OTHERS = 0o007;

interface SecretFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether users other than owner and group have access. */
  readonly isPublic: boolean;
}

/**
 * The permissions are those of the very file that was read, even if its name
 * changes hands.
 * @throws {RangeError} When it is longer.
 */
export function readSecretFile(
  libc: ProcessLibc,
  path: string,
  limit = LIMIT,
): SecretFile {
  const fd = libc.symbols.open(cString(path), O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) throw libc.error(`open '${path}'`, "open");
  try {
    const { mode, size } = statDescriptor(libc, fd, path);
    const bytes = readDescriptor(libc, fd, path, limit, size);
    return { bytes, isPublic: (mode & OTHERS) !== 0 };
  } finally {
    libc.symbols.close(fd);
  }
}

/** @throws {RangeError} When it is longer than 4096 bytes. */
export function readSecretInput(libc: ProcessLibc): SecretFile {
  const name = "standard input";
  return {
    bytes: readDescriptor(libc, STANDARD_INPUT, name, LIMIT),
    isPublic: false,
  };
}

/** Their numbers may be those of other files by now. */
const DESCRIPTOR = /^\/(?:dev|proc\/[^/]+)\/(?:fd\/|std(?:in|out|err)$)/;

/**
 * Whether a file can be read more than once, and without waiting for anybody.
 * That there is none, or none for this user, shows when it is opened.
 */
export function isRepeatable(libc: ProcessLibc, path: string): boolean {
  return onceOnly(libc, path) === undefined;
}

/**
 * For a program that has read a file before, and must not wait for anybody.
 * @throws {Error} When it can be read once only, as a pipe or a descriptor.
 */
export function requireRepeatable(libc: ProcessLibc, path: string): void {
  const kind = onceOnly(libc, path);
  if (kind === undefined) return;
  throw new Error(
    `Cannot read '${path}' again: it is a ${kind}, which can be read once; a ` +
      "regular file, and - for standard input, stay readable",
  );
}

/** What it is, if it can be read once only. */
function onceOnly(libc: ProcessLibc, path: string): string | undefined {
  if (DESCRIPTOR.test(path)) return "descriptor";
  const kind = statOrNone(() => statPath(libc, path))?.kind;
  return kind === "regular file" ? undefined : kind;
}
