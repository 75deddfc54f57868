// The stream below TLS, as a Duplex for `node:tls`.
import { Duplex } from "node:stream";
import { writeAll } from "../net/duplex_stream.ts";
import type { SyncStream } from "./streams.ts";

const READ_BYTES = 1 << 14;

/** Types of a first record (RFC 8446 section 5.1). */
const FIRST_TYPES: readonly number[] = [/* alert */ 21, /* handshake */ 22];

export class Wire {
  readonly duplex: Duplex;
  #first: number | undefined;

  constructor(stream: SyncStream) {
    const take = (bytes: Uint8Array): Uint8Array => {
      this.#first ??= bytes[0];
      return bytes;
    };
    this.duplex = new Duplex({
      read() {
        const chunk = new Uint8Array(READ_BYTES);
        stream.read(chunk).then(
          (size) =>
            this.push(size === null ? null : take(chunk.subarray(0, size))),
          (error) => this.destroy(error),
        );
      },
      write(bytes: Uint8Array, _encoding, done) {
        writeAll(stream, bytes).then(() => done(), done);
      },
      destroy(error, done) {
        stream.close();
        done(error);
      },
    });
    // TLS reports it; what comes after its end is for nobody.
    this.duplex.on("error", () => {});
  }

  get beginning(): "nothing" | "TLS" | "something else" {
    if (this.#first === undefined) return "nothing";
    return FIRST_TYPES.includes(this.#first) ? "TLS" : "something else";
  }
}
