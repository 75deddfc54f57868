/**
 * Files by way of the C library: the program runs without the permissions to
 * read and write files, and those never cover /dev and /proc anyway.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { O } from "./flags.ts";
import { cString, type Libc } from "./libc.ts";

const READ_SIZE = 16384;

/**
 * Reads a whole file, also one whose size is not known before, as under /proc.
 *
 * @param path The file.
 * @param limit Bytes that the file may have at most.
 * @throws {SystemError} When it cannot be opened or read.
 * @throws {RangeError} When it is longer than the limit.
 */
export function readFile(
  libc: Libc,
  path: string,
  limit = 1 << 20,
): Uint8Array<ArrayBuffer> {
  const fd = libc.symbols.open(cString(path), O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) throw libc.error(`open '${path}'`, "open");
  try {
    return readDescriptor(libc, fd, path, limit);
  } finally {
    libc.symbols.close(fd);
  }
}

/**
 * Reads what is left behind a file descriptor, and leaves it open.
 *
 * @param path What to call it in an error.
 * @param limit Bytes that there may be at most.
 * @throws {SystemError} When it cannot be read.
 * @throws {RangeError} When there is more than the limit.
 */
export function readDescriptor(
  libc: Libc,
  fd: number,
  path: string,
  limit: number,
): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(READ_SIZE);
  let length = 0;
  for (;;) {
    if (length === bytes.length) bytes = doubled(bytes);
    const room = bytes.subarray(length);
    const count = libc.symbols.read(fd, room, room.length);
    if (count < 0) {
      const error = libc.error(`read '${path}'`, "read");
      if (error.errno === Errno.EINTR) continue;
      throw error;
    }
    if (count === 0) return bytes.slice(0, length);
    length += count;
    if (length > limit) {
      throw new RangeError(
        `Cannot read '${path}': it is longer than ${limit} bytes`,
      );
    }
  }
}

function doubled(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}

/**
 * Writes all the bytes to a file descriptor.
 *
 * @param path What to call it in an error.
 * @throws {SystemError} When they cannot be written, or not all of them.
 */
export function writeDescriptor(
  libc: Libc,
  fd: number,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  let rest = bytes;
  while (rest.length > 0) {
    const count = libc.symbols.write(fd, rest, rest.length);
    if (count < 0) {
      const error = libc.error(`write '${path}'`, "write");
      if (error.errno === Errno.EINTR) continue;
      throw error;
    }
    rest = rest.subarray(count);
  }
}

/**
 * The arguments of this process as they were given to the kernel, the name of
 * the program first: Deno itself keeps that from the program.
 *
 * @throws {SystemError} When /proc is not there.
 */
export function readArguments(libc: Libc): string[] {
  const text = new TextDecoder().decode(readFile(libc, "/proc/self/cmdline"));
  return text.split("\0").slice(0, -1);
}
