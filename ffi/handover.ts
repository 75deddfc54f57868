/**
 * What a process leaves to the one that it starts: bytes that nobody else can
 * see, and a pipe for the answer.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { readDescriptor, writeDescriptor } from "./file.ts";
import { O } from "./flags.ts";
import { cString, type Libc } from "./libc.ts";
import type { ProcessLibc } from "./process_libc.ts";

// include/uapi/linux/memfd.h, <unistd.h>
const MFD_CLOEXEC = 1;
const SEEK_SET = 0;

/** The most that is read from a memory file. */
const LIMIT = 1 << 20;
const LINE_BUFFER_SIZE = 1024;

/**
 * Puts bytes into a file that exists in memory only and has no name.
 *
 * @returns The file descriptor, ready to be read from the start.
 * @throws {SystemError} When it cannot be made.
 */
export function memoryFile(
  libc: ProcessLibc,
  bytes: Uint8Array<ArrayBuffer>,
): number {
  const { memfd_create, lseek } = libc.process;
  const fd = memfd_create(cString("handover"), MFD_CLOEXEC);
  if (fd < 0) throw libc.error("make a file in memory", "memfd_create");
  try {
    writeDescriptor(libc, fd, "handover", bytes);
    lseek(fd, 0n, SEEK_SET);
    return fd;
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

/** The two ends of a pipe, as file descriptors. */
interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** @throws {SystemError} When there are no descriptors to be had. */
export function openPipe(libc: ProcessLibc): Pipe {
  const ends = new Int32Array(2);
  if (libc.process.pipe2(ends, O.CLOEXEC) !== 0) {
    throw libc.error("open a pipe", "pipe2");
  }
  const [readEnd = -1, writeEnd = -1] = ends;
  return { readEnd, writeEnd };
}

/**
 * Reads lines from a descriptor as they come, and closes it after the last.
 *
 * @throws {SystemError} When it cannot be read.
 */
export function* takeLines(libc: Libc, fd: number): Generator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(LINE_BUFFER_SIZE);
  let rest = "";
  try {
    for (;;) {
      const count = libc.symbols.read(fd, buffer, buffer.length);
      if (count < 0) {
        const error = libc.error("read lines", "read");
        if (error.errno === Errno.EINTR) continue;
        throw error;
      }
      if (count === 0) break;
      rest += decoder.decode(buffer.subarray(0, count), { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    if (rest !== "") yield rest;
  } finally {
    libc.symbols.close(fd);
  }
}

/**
 * Reads everything behind a descriptor, waits for it if need be, and closes
 * the descriptor.
 *
 * @throws {SystemError} When it cannot be read.
 */
export function takeAll(libc: Libc, fd: number): Uint8Array<ArrayBuffer> {
  try {
    return readDescriptor(libc, fd, "handover", LIMIT);
  } finally {
    libc.symbols.close(fd);
  }
}
