// Handover to a child process: bytes that nobody else can see, and a pipe for
// the answer.

import { Errno } from "./errno.ts";
import { readDescriptor, writeDescriptor } from "./file.ts";
import { O } from "./flags.ts";
import { cString, type Libc } from "./libc.ts";
import type { ProcessLibc } from "./process_libc.ts";

// include/uapi/linux/memfd.h, <unistd.h>
const MFD_CLOEXEC = 1;
const SEEK_SET = 0;

const LIMIT = 1 << 20;
const LINE_BUFFER_SIZE = 1024;

/** @returns A descriptor of a nameless file in memory, at its start. */
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

interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

export function openPipe(libc: ProcessLibc): Pipe {
  const ends = new Int32Array(2);
  if (libc.process.pipe2(ends, O.CLOEXEC) !== 0) {
    throw libc.error("open a pipe", "pipe2");
  }
  const [readEnd = -1, writeEnd = -1] = ends;
  return { readEnd, writeEnd };
}

/** Yields lines as they come, and closes the descriptor after the last. */
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

/** Waits for the end if need be, and closes the descriptor. */
export function takeAll(libc: Libc, fd: number): Uint8Array<ArrayBuffer> {
  try {
    return readDescriptor(libc, fd, "handover", LIMIT);
  } finally {
    libc.symbols.close(fd);
  }
}
