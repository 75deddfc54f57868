// Stream sockets of any family that accept connections (listen(2)).

import { POLLIN } from "../poll.ts";
import { PatientSocket } from "./patient_socket.ts";
import type { Readiness } from "./readiness.ts";
import type { SocketLibc } from "./socket_libc.ts";
import { STREAM_FLAGS, type StreamSocket } from "./stream_socket.ts";

const BACKLOG = 128;

interface StreamListenerOptions<S> {
  /** Bound, does not block; becomes the listener's unless it throws. */
  readonly fd: number;
  /** For messages, such as `at '/run/a.sock'`. */
  readonly place: string;
  /** Whether it listens no sooner than {@linkcode StreamListener.listen}. */
  readonly isLater?: boolean;
  /** Where accept4(2) is to put the other end's address, and its size. */
  readonly from?: {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly size: Uint32Array<ArrayBuffer>;
  };
  /** Makes the stream of a descriptor, which becomes its own. */
  readonly welcome: (fd: number) => S;
}

export class StreamListener<S extends StreamSocket> {
  readonly #libc: SocketLibc;
  readonly #socket: PatientSocket;
  readonly #options: StreamListenerOptions<S>;
  #isListening = false;

  /** @throws {SystemError} `EADDRINUSE` and others. */
  constructor(
    libc: SocketLibc,
    readiness: Readiness,
    options: StreamListenerOptions<S>,
  ) {
    this.#libc = libc;
    this.#options = options;
    if (!options.isLater) this.#listen(options.fd);
    this.#socket = new PatientSocket(libc, readiness, options.fd);
  }

  /**
   * For one that was to listen later. May be called again.
   * @throws {SystemError} `EADDRINUSE`, if another one listens there by now.
   */
  listen(): void {
    if (!this.#isListening) this.#listen(this.#socket.fd);
  }

  /**
   * One call at a time.
   * @throws {Error} When it is closed, or the system is out of resources.
   */
  async accept(): Promise<S> {
    const { place, from, welcome } = this.#options;
    const { accept4 } = this.#libc.socket;
    const bytes = from?.bytes ?? null;
    const size = from?.size ?? null;
    const fd = await this.#socket.until(
      `accept ${place}`,
      "accept4",
      POLLIN,
      () => {
        if (from !== undefined) from.size[0] = from.bytes.length;
        return accept4(this.#socket.fd, bytes, size, STREAM_FLAGS);
      },
    );
    try {
      return welcome(fd);
    } catch (error) {
      this.#libc.symbols.close(fd);
      throw error;
    }
  }

  /** Ends a pending accept() as well. May be called again. */
  close(): void {
    // The number may be that of another socket by now.
    this.#isListening = true;
    this.#socket.close();
  }

  #listen(fd: number): void {
    if (this.#libc.socket.listen(fd, BACKLOG) !== 0) {
      throw this.#libc.error(`listen ${this.#options.place}`, "listen");
    }
    this.#isListening = true;
  }
}
