// Lines for a stream that may take less than it is given.

export interface ByteStream {
  /** @returns How many of the bytes it took */
  writeSync(bytes: Uint8Array): number;
}

const LINE_END = Uint8Array.of(10);

export class LineStream {
  readonly #stream: ByteStream;
  #isCut = false;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Begins anew behind a line of which the stream took a part before it failed. */
  write(bytes: Uint8Array): void {
    if (this.#isCut) this.#writeAll(LINE_END);
    this.#writeAll(bytes);
  }

  #writeAll(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      rest = rest.subarray(this.#stream.writeSync(rest));
      this.#isCut = rest.length > 0;
    }
  }
}
