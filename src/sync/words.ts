// Words of messages between members of ours, checked as they are read.
import { SyncError } from "./error.ts";
import { latin1 } from "./latin1.ts";

/** Words between single spaces, and then the rest. */
export class Words {
  readonly #text: Uint8Array;
  #at = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  next(name: string): string {
    const text = this.#text;
    const begin = this.#at;
    const end = text.indexOf(0x20, begin);
    this.#at = end < 0 ? text.length + 1 : end + 1;
    const word = latin1(text.subarray(begin, end < 0 ? text.length : end));
    if (!/^[!-~]{1,64}$/.test(word)) throw malformed(`it has no ${name}`);
    return word;
  }

  number(name: string): number {
    const word = this.next(name);
    if (!isNumber(word)) throw malformed(`its ${name} is no number`);
    return Number(word);
  }

  id(name: string): string {
    const word = this.next(name);
    if (!isId(word)) throw malformed(`its ${name} is no identity`);
    return word;
  }

  rest(): Uint8Array {
    return this.#text.subarray(this.#at);
  }
}

/** At most 2^53 - 1, which counts exactly. */
export function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^(0|[1-9]\d{0,15})$/.test(text) &&
    Number.isSafeInteger(Number(text));
}

export function isId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{16}$/.test(text);
}

export function malformed(why: string): SyncError {
  return new SyncError(
    "input stream error",
    `Cannot read a message: ${why}`,
  );
}
