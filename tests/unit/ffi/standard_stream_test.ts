import assert from "node:assert/strict";
import { openPipe } from "../../../ffi/process/handover.ts";
import {
  openProcessLibc,
  type ProcessLibc,
} from "../../../ffi/process/libc.ts";
import { patientStream } from "../../../ffi/process/standard_stream.ts";

/** A pipe as somebody's standard output. */
class PipedStream implements Disposable {
  readonly libc: ProcessLibc = openProcessLibc();
  readonly #pipe = openPipe(this.libc);
  readonly stream = patientStream(
    this.libc,
    this.#pipe.writeEnd,
    {
      writeSync: (bytes) => {
        const { write } = this.libc.symbols;
        return write(this.#pipe.writeEnd, bytes.slice(), bytes.length);
      },
    },
    1,
  );

  /** Writes until the pipe is full. */
  fill(): void {
    assert.throws(() => {
      for (;;) this.stream.writeSync(new Uint8Array(1000));
    }, /nobody reads it/);
  }

  read(size: number): number {
    return this.libc.symbols.read(
      this.#pipe.readEnd,
      new Uint8Array(size),
      size,
    );
  }

  [Symbol.dispose](): void {
    this.libc.symbols.close(this.#pipe.readEnd);
    this.libc.symbols.close(this.#pipe.writeEnd);
    this.libc.close();
  }
}

Deno.test("a stream that nobody reads refuses what it cannot take, and does not block", () => {
  using piped = new PipedStream();
  piped.fill();
  piped.fill();
});

Deno.test("a stream that is read again takes more", () => {
  using piped = new PipedStream();
  piped.fill();
  while (piped.read(65536) === 65536);
  assert.equal(piped.stream.writeSync(new Uint8Array(10)), 10);
});

Deno.test("a stream takes a long text in portions that a pipe has room for", () => {
  using piped = new PipedStream();
  assert.equal(piped.stream.writeSync(new Uint8Array(10_000)), 4096);
});
