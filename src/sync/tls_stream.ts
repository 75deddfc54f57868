// The stream inside TLS.
import type { TLSSocket } from "node:tls";
import type { Place } from "../net/place.ts";
import type { SyncStream } from "./streams.ts";

/** It buffers whatever arrives, read or not: members read all the time. */
export class TlsStream implements SyncStream {
  readonly #socket: TLSSocket;
  readonly #plain: SyncStream;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(socket: TLSSocket, plain: SyncStream) {
    this.#socket = socket;
    this.#plain = plain;
    this.#chunks = socket[Symbol.asyncIterator]();
    // The next read or write reports it.
    socket.on("error", () => {});
  }

  get remote(): Place {
    return this.#plain.remote;
  }

  get uid(): number | undefined {
    return this.#plain.uid;
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return null;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, into.length);
    into.set(taken);
    this.#rest = this.#rest.subarray(taken.length);
    return taken.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#socket.write(
      bytes,
      (error) => error ? reject(error) : resolve(bytes.length),
    );
    return promise;
  }

  close(): void {
    this.#socket.destroy();
    this.#plain.close();
  }
}
