// Handover to a child process: bytes that nobody else can see, and a pipe for
// the answer.

import { Errno } from "../errno.ts";
import { readDescriptor, writeDescriptor } from "./file.ts";
import { O } from "../flags.ts";
import { cString, type Libc } from "../libc.ts";
import { Arena } from "../memory.ts";
import { PollSet } from "../poll.ts";
import type { ProcessLibc } from "./libc.ts";

// include/uapi/linux/memfd.h, <unistd.h>
const MFD_CLOEXEC = 1;
const SEEK_SET = 0;

const LIMIT = 1 << 20;
const LINE_BUFFER_SIZE = 1024;
/** Characters; what is longer is several lines. */
const LONGEST_LINE = 4096;
const POLL_SET_SIZE = 8;

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

/** Disposing of this closes the descriptor. */
export class LineReader implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #poll: PollSet;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(LINE_BUFFER_SIZE);
  #rest = "";

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#poll = new PollSet(libc, new Arena(POLL_SET_SIZE), 1);
    this.#poll.add(fd);
  }

  /**
   * Leaves this thread free.
   * @returns Lines; none after the timeout or where one is not whole yet, undefined
   * after the last.
   */
  async read(timeout: number): Promise<readonly string[] | undefined> {
    const ready = await this.#poll.waitInBackground(timeout);
    return ready === 0 ? [] : this.#readNow();
  }

  /**
   * Waits for nothing.
   * @returns As {@linkcode read}; none only where nothing more has come
   */
  readReady(): readonly string[] | undefined {
    while (this.#poll.wait(0) > 0) {
      const lines = this.#readNow();
      if (lines === undefined || lines.length > 0) return lines;
    }
    return [];
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#fd);
  }

  #readNow(): readonly string[] | undefined {
    const buffer = this.#buffer;
    const count = this.#libc.symbols.read(this.#fd, buffer, buffer.length);
    if (count < 0) {
      const error = this.#libc.error("read lines", "read");
      if (error.errno === Errno.EINTR) return [];
      throw error;
    }
    if (count === 0) {
      const last = this.#rest;
      this.#rest = "";
      return last === "" ? undefined : [last];
    }
    const bytes = buffer.subarray(0, count);
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LONGEST_LINE) {
      lines.push(this.#rest);
      this.#rest = "";
    }
    return lines;
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
