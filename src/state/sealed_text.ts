// Text files of the state folder: a line that says what it is, lines, and a hash
// over them, so that half a file, or one that somebody has changed, is none.

export type Hash = (data: Uint8Array<ArrayBuffer>) => string;

export class TextSeal {
  readonly #hash: Hash;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  /** @param kind With its version, such as `anytun-numbers 1` */
  seal(kind: string, lines: readonly string[]): Uint8Array<ArrayBuffer> {
    const text = [kind, ...lines, ""].join("\n");
    return encode(`${text}sum ${this.#hash(encode(text))}\n`);
  }

  /** @throws {Error} When it is not whole, or of another kind. */
  open(kind: string, bytes: Uint8Array): readonly string[] {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const end = text.lastIndexOf("\nsum ") + 1;
    const body = text.slice(0, end);
    if (text !== `${body}sum ${this.#hash(encode(body))}\n`) {
      throw new Error("its checksum is wrong");
    }
    const [first = "", ...lines] = body.split("\n").slice(0, -1);
    if (first !== kind) {
      throw new Error(`it begins with '${first}' instead of '${kind}'`);
    }
    return lines;
  }
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
