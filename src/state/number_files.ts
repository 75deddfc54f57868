// Files of the numbers used, as they are at one time, and what changes of them.
// The spaces are spread over as many files as a character of base64 has values:
// thousands are written at once, and a single one without the others.
import { EVERY_SPACE, type UsedNumbers } from "./used_numbers.ts";

const EVERY_NAME = "numbers-all";

/** RFC 4648 section 4. */
const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * By the first character of their spaces. By its number, since there are file
 * systems for which names that differ by case are the same.
 */
const NAMES: ReadonlyMap<string, string> = new Map(
  Array.from(
    BASE64,
    (character, k) => [character, `numbers-${k.toString(16).padStart(2, "0")}`],
  ),
);

export const SPACE_NAMES: readonly string[] = [...NAMES.values()];

type ReadNumbers = (name: string) => UsedNumbers;

export class NumberFiles {
  readonly #read: ReadNumbers;
  readonly #files = new Map<string, UsedNumbers>();

  constructor(read: ReadNumbers) {
    this.#read = read;
  }

  /** The file of what is used of every space, and of the common blocks. */
  get every(): UsedNumbers {
    return this.at(EVERY_SPACE);
  }

  /** What is used of it, of every space, or is in a common block. */
  of(space: string, id: number): number {
    return Math.max(this.every.most(id), this.at(space).of(space, id));
  }

  /** The file with a space. */
  at(space: string): UsedNumbers {
    return this.named(fileOf(space));
  }

  named(name: string): UsedNumbers {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const used = this.#read(name);
    this.#files.set(name, used);
    return used;
  }

  /** Those that were asked for, by their names. */
  all(): ReadonlyMap<string, UsedNumbers> {
    return this.#files;
  }
}

/** @throws {RangeError} unless it is a hash in base64 */
export function fileOf(space: string): string {
  if (space === EVERY_SPACE) return EVERY_NAME;
  const name = NAMES.get(space.charAt(0));
  if (name !== undefined) return name;
  throw new RangeError(`Cannot keep numbers of '${space}': it is no hash`);
}
