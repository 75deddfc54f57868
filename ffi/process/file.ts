// Files by way of the C library: the program runs without the permissions to
// read and write files, which never cover /dev and /proc anyway.

import { Errno } from "../errno.ts";
import { O } from "../flags.ts";
import { cString, type Libc } from "../libc.ts";

const READ_SIZE = 16384;

/**
 * Bytes of one call. A kernel without preemption takes the processor from nobody
 * who is within one: 20 MB in a single read(2) kept a thread with packets waiting
 * for 8 ms.
 */
const MOST_AT_ONCE = 1 << 17;

/**
 * Also for files of unknown size, as under /proc.
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
 * @param expected Bytes that there seem to be
 * @throws {RangeError} When there is more than the limit.
 */
export function readDescriptor(
  libc: Libc,
  fd: number,
  path: string,
  limit: number,
  expected = 0,
): Uint8Array<ArrayBuffer> {
  // One more, so that the end is seen.
  const size = Math.max(READ_SIZE, Math.min(expected, limit) + 1);
  let bytes = new Uint8Array(size);
  let length = 0;
  for (;;) {
    if (length === bytes.length) bytes = doubled(bytes);
    const room = bytes.subarray(length, length + MOST_AT_ONCE);
    const count = libc.symbols.read(fd, room, room.length);
    if (count < 0) {
      const error = libc.error(`read '${path}'`, "read");
      if (error.errno === Errno.EINTR) continue;
      throw error;
    }
    if (count === 0) return taken(bytes, length);
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
  bytes.fill(0);
  return larger;
}

/** Leaves nothing in the buffer: it may have been a secret. */
function taken(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(new ArrayBuffer(length));
  all.set(bytes.subarray(0, length));
  bytes.fill(0, 0, length);
  return all;
}

export function writeDescriptor(
  libc: Libc,
  fd: number,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  let rest = bytes;
  while (rest.length > 0) {
    const size = Math.min(rest.length, MOST_AT_ONCE);
    const count = libc.symbols.write(fd, rest, size);
    if (count < 0) {
      const error = libc.error(`write '${path}'`, "write");
      if (error.errno === Errno.EINTR) continue;
      throw error;
    }
    rest = rest.subarray(count);
  }
}

/** With the name of the program, which Deno does not show. */
export function readArguments(libc: Libc): string[] {
  const text = new TextDecoder().decode(readFile(libc, "/proc/self/cmdline"));
  return text.split("\0").slice(0, -1);
}
