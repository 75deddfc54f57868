// Entries of a config file, before anybody knows what its keys mean.

/** A place in a file. Both begin with 1; columns are characters. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

export interface FileScalar extends Spot {
  /** As it is written, or what stands between its quotes. */
  readonly text: string;
  readonly isQuoted: boolean;
}

export interface FileEntry extends Spot {
  /** May be anything, a secret in the wrong place included. */
  readonly key: string;
  readonly value:
    | { readonly kind: "none" }
    | { readonly kind: "scalar"; readonly scalar: FileScalar }
    | { readonly kind: "list"; readonly items: readonly FileScalar[] };
  /** What is wrong with how its value is written. Never shows the value. */
  readonly faults: readonly SpotFault[];
}

export interface SpotFault extends Spot {
  readonly text: string;
}

/** A file that is no config file. Never shows what it holds. */
export class FormatFault extends Error {
  readonly spot: Spot;

  constructor(text: string, spot: Spot) {
    super(text);
    this.name = "FormatFault";
    this.spot = spot;
  }
}

/** Places by their offsets, in a text whose lines end in LF, CR LF or CR. */
export class SpotFinder {
  readonly #text: string;
  readonly #starts: readonly number[];
  /** The last answer: the next one is mostly behind it, in a line of any length. */
  #last = { offset: 0, line: 1, column: 1 };

  constructor(text: string) {
    this.#text = text;
    const ends = text.matchAll(/\r\n|\r|\n/g);
    this.#starts = [0, ...ends.map((end) => end.index + end[0].length)];
  }

  /** @param offset In UTF-16 units, as strings count */
  at(offset: number): Spot {
    const line = this.#lineOf(offset);
    const last = this.#last;
    const isBehind = last.line === line && last.offset <= offset;
    const from = isBehind ? last.offset : this.#starts[line - 1] ?? 0;
    const first = isBehind ? last.column : 1;
    const column = first + seenCharacters(this.#text.slice(from, offset));
    this.#last = { offset, line, column };
    return { line, column };
  }

  #lineOf(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? Infinity) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

/** A byte order mark is not seen, and so not counted. */
function seenCharacters(text: string): number {
  return [...text.replace(/^\uFEFF/, "")].length;
}
