// Beat of a thread that carries packets, for a process that watches this one: it
// goes on while the main thread has long work in one piece, or waits for a disk,
// and stops with the whole process.
import { MSG } from "../../../ffi/flags.ts";
import type { Libc } from "../../../ffi/libc.ts";
import { threadBeat } from "../plane.ts";
import type { BeatPlace } from "./messages.ts";

/** Between two of them. */
export const BEAT_MS = 100;

/** A standard stream: no socket has that number. */
const NOWHERE = 0;

export class ThreadBeat {
  readonly #libc: Pick<Libc, "symbols">;
  readonly #socket: Int32Array;
  readonly #message: Uint8Array<ArrayBuffer>;

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  /** @param fd Of a connected socket, which is open as long as the threads are */
  static begin(shared: SharedArrayBuffer, fd: number): void {
    Atomics.store(new Int32Array(shared), 0, fd);
  }

  /** @param place With memory of {@link allocate}; without it nobody asks */
  constructor(libc: Pick<Libc, "symbols">, place?: BeatPlace) {
    const { memory = ThreadBeat.allocate(), thread = 0 } = place ?? {};
    this.#libc = libc;
    this.#message = new TextEncoder().encode(threadBeat(thread));
    this.#socket = new Int32Array(memory);
  }

  get isWanted(): boolean {
    return Atomics.load(this.#socket, 0) !== NOWHERE;
  }

  /** Where there is no room for it, or nobody who reads, so be it. */
  send(): void {
    const fd = Atomics.load(this.#socket, 0);
    const message = this.#message;
    const flags = MSG.NOSIGNAL | MSG.DONTWAIT;
    this.#libc.symbols.send(fd, message, message.length, flags);
  }
}
