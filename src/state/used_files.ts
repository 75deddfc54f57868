// Text files of the state folder that say what was used: read as what they are at
// the time, and taken for the worst where they are damaged.
import { SystemError } from "../../ffi/errno.ts";
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { fileOf, NumberFiles } from "./number_files.ts";
import { type Hash, TextSeal } from "./sealed_text.ts";
import {
  allIds,
  formatIds,
  MAX_IDS_BYTES,
  parseIds,
  type TakenIds,
} from "./taken_ids.ts";
import { EVERY_SPACE, MAX_NUMBERS_BYTES, UsedNumbers } from "./used_numbers.ts";

const IDS_NAME = "sender-ids";

type NamedNumbers = readonly [name: string, used: UsedNumbers];

interface UsedFilesOptions {
  readonly folder: Pick<StateFolder, "pathOf" | "read" | "replace">;
  readonly hash: Hash;
  readonly logger: Logger;
}

export class UsedFiles {
  readonly #options: UsedFilesOptions;
  readonly #seal: TextSeal;
  /** Of which the log says so. */
  readonly #damaged = new Set<string>();
  /** Of a start that is going on the sender ids that none took before. */
  #fresh: ReadonlySet<number> = new Set();

  constructor(options: UsedFilesOptions) {
    this.#options = options;
    this.#seal = new TextSeal(options.hash);
  }

  /**
   * Does what takes some sender ids, and writes all files. What is damaged by then
   * says nothing of those that no start took before.
   */
  start(ids: readonly number[], work: () => void): void {
    this.#fresh = new Set(ids).difference(this.readIds());
    try {
      work();
    } finally {
      this.#fresh = new Set();
    }
  }

  readIds(): TakenIds {
    return this.#read(
      IDS_NAME,
      MAX_IDS_BYTES,
      (bytes) => parseIds(this.#seal, bytes),
      "as if all sender ids had been taken",
      allIds,
    ) ?? new Set();
  }

  readNumbers(name: string): UsedNumbers {
    return this.#read<UsedNumbers>(
      name,
      MAX_NUMBERS_BYTES,
      (bytes) => UsedNumbers.parse(this.#seal, bytes),
      "as if all numbers of the sender ids taken so far had been used",
      () => UsedNumbers.all(this.readIds().difference(this.#fresh)),
    ) ?? new UsedNumbers();
  }

  open(): NumberFiles {
    return new NumberFiles((name) => this.readNumbers(name));
  }

  /**
   * Writes those that have changed: what is used of every space when the rest is
   * on the disk.
   * @param taken Sender ids, if there are other ones
   * @returns Whether there were any
   */
  write(numbers: NumberFiles, taken?: TakenIds): boolean {
    const changed = [...numbers.all()].filter(([, used]) => used.isChanged);
    const isEvery = ([name]: NamedNumbers) => name === fileOf(EVERY_SPACE);
    this.#replace(changed.filter((file) => !isEvery(file)));
    this.#replace(changed.filter(isEvery), taken);
    return changed.length > 0 || taken !== undefined;
  }

  #replace(changed: readonly NamedNumbers[], taken?: TakenIds): void {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const [name, used] of changed) {
      files.set(name, used.format(this.#seal));
    }
    // Last: by then no file is damaged that would say all of them is used.
    if (taken !== undefined) files.set(IDS_NAME, formatIds(this.#seal, taken));
    if (files.size === 0) return;
    this.#options.folder.replace(files);
    for (const [, used] of changed) used.noteWritten();
    for (const name of files.keys()) this.#damaged.delete(name);
  }

  /** @param worst What is assumed of a file that is damaged. */
  #read<T>(
    name: string,
    limit: number,
    parse: (bytes: Uint8Array) => T,
    assumed: string,
    worst: () => T,
  ): T | undefined {
    const { folder, logger } = this.#options;
    try {
      const bytes = folder.read(name, limit);
      return bytes && parse(bytes);
    } catch (error) {
      // That the system does not let it be read is no damage.
      if (error instanceof SystemError) throw error;
      if (!this.#damaged.has(name)) {
        this.#damaged.add(name);
        logger.error(
          `Cannot use '${folder.pathOf(name)}' (--state-dir): ` +
            `${reasonOf(error)}; this goes on ${assumed}`,
        );
      }
      return worst();
    }
  }
}
