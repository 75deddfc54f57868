// Sequence numbers and sender ids that stay used when the process has ended, in
// a file for each space of numbers and one for the sender ids. Other processes
// may use the folder at the same time: each reads what the others have reserved
// before it reserves more.
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { SEQ_RANGE } from "../satp/header.ts";
import { type Hash, TextSeal } from "./sealed_text.ts";
import {
  allIds,
  formatIds,
  MAX_IDS_BYTES,
  parseIds,
  type TakenIds,
  withTaken,
} from "./taken_ids.ts";
import {
  formatNumbers,
  MAX_NUMBERS_BYTES,
  parseNumbers,
  type UsedNumbers,
} from "./used_numbers.ts";

/** Files of spaces that a clean end writes at most: it has to come to one. */
const MOST_AT_THE_END = 512;

const IDS_NAME = "sender-ids";

interface KeeperOptions {
  readonly folder: Pick<
    StateFolder,
    "path" | "pathOf" | "read" | "remove" | "replace" | "exclusively"
  >;
  readonly hash: Hash;
  readonly logger: Logger;
  /** Whether numbers go on behind the last sender id, under the same one. */
  readonly allowWrap: boolean;
}

interface Request {
  readonly space: string;
  readonly from: number;
  readonly count: number;
}

interface Range {
  readonly first: number;
  readonly end: number;
}

interface Unused {
  readonly space: string;
  readonly next: number;
  readonly end: number;
}

/** The files to write, the one of the sender ids first. */
type Files = Map<string, Uint8Array<ArrayBuffer>>;

/**
 * A number is 2^32 times its generation and a sequence number; it goes with all
 * sender ids of its generation.
 */
export class NumberKeeper {
  readonly #options: KeeperOptions;
  readonly #seal: TextSeal;
  readonly #damaged = new Set<string>();
  #generations: readonly (readonly number[])[] = [];
  /** Of the first generation those that no start took before. */
  #fresh: ReadonlySet<number> = new Set();
  #isFailing = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#seal = new TextSeal(options.hash);
  }

  /** Sender ids that were ever used, the oldest first. */
  taken(): TakenIds {
    return this.#attempt(() => this.#readIds()) ?? new Set();
  }

  /** @param generations The sender ids of each generation */
  begin(generations: readonly (readonly number[])[]): void {
    this.#generations = generations;
    const [ids = []] = generations;
    this.#attempt(() => {
      const { folder } = this.#options;
      folder.exclusively(() => {
        const before = this.#readIds();
        this.#fresh = new Set(ids).difference(before);
        const taken = withTaken(before, ids);
        folder.replace(new Map([[IDS_NAME, formatIds(this.#seal, taken)]]));
      });
    });
  }

  /** See `NumberStore` of the tunnel; so with the other three. */
  left(space: string): number {
    const used = this.#attempt(() => this.#readNumbers(space));
    return used === undefined ? 0 : this.#firstFree(used, 0);
  }

  reserve(requests: readonly Request[]): readonly (Range | undefined)[] {
    const ranges = this.#attempt(() =>
      this.#options.folder.exclusively(() => this.#reserve(requests))
    );
    return ranges ?? requests.map(() => undefined);
  }

  settle(unused: readonly Unused[]): void {
    this.#attempt(() =>
      this.#options.folder.exclusively(() => this.#settle(unused))
    );
  }

  forget(spaces: readonly string[]): void {
    this.#attempt(() => this.#options.folder.remove(spaces.map(fileOf)));
  }

  #reserve(requests: readonly Request[]): readonly Range[] {
    const { folder } = this.#options;
    const files: Files = new Map();
    const before = this.#readIds();
    let taken = before;
    const ranges = requests.map(({ space, from, count }) => {
      const used = new Map(this.#readNumbers(space));
      const first = this.#firstFree(used, from);
      const generation = Math.floor(first / SEQ_RANGE);
      const ids = this.#idsOf(generation);
      if (ids === undefined) return { first, end: first };
      const start = generation * SEQ_RANGE;
      const end = Math.min(first + count, start + SEQ_RANGE);
      for (const id of ids) used.set(id, end - start);
      if (ids.some((id) => !taken.has(id))) taken = withTaken(taken, ids);
      files.set(fileOf(space), formatNumbers(this.#seal, space, used));
      return { first, end };
    });
    if (taken !== before) {
      files.set(IDS_NAME, formatIds(this.#seal, taken));
    }
    if (files.size > 0) folder.replace(files);
    return ranges;
  }

  #settle(unused: readonly Unused[]): void {
    const files: Files = new Map();
    for (const { space, next, end } of unused) {
      if (next >= end || files.size === MOST_AT_THE_END) continue;
      const used = new Map(this.#readNumbers(space));
      const last = Math.floor((end - 1) / SEQ_RANGE);
      for (let k = Math.floor(next / SEQ_RANGE); k <= last; k++) {
        const reserved = Math.min(end - k * SEQ_RANGE, SEQ_RANGE);
        const exact = Math.max(0, next - k * SEQ_RANGE);
        for (const id of this.#idsOf(k) ?? []) {
          // Otherwise somebody else has reserved more.
          if (used.get(id) === reserved) used.set(id, exact);
        }
      }
      files.set(fileOf(space), formatNumbers(this.#seal, space, used));
    }
    if (files.size > 0) this.#options.folder.replace(files);
  }

  /** At or above a number; behind all of them where there is none. */
  #firstFree(used: UsedNumbers, from: number): number {
    let first = from;
    for (let k = Math.floor(from / SEQ_RANGE);; k++) {
      const ids = this.#generations[k];
      if (ids === undefined) return first;
      const most = Math.max(0, ...ids.map((id) => used.get(id) ?? 0));
      first = Math.max(first, k * SEQ_RANGE + most);
      if (first < (k + 1) * SEQ_RANGE) return first;
    }
  }

  #idsOf(generation: number): readonly number[] | undefined {
    const ids = this.#generations[generation];
    return ids ?? (this.#options.allowWrap ? this.#generations.at(-1) : ids);
  }

  #readIds(): TakenIds {
    return this.#read(
      IDS_NAME,
      MAX_IDS_BYTES,
      (bytes) => parseIds(this.#seal, bytes),
      "as if all sender ids had been taken",
      allIds,
    ) ?? new Set();
  }

  #readNumbers(space: string): UsedNumbers {
    return this.#read<UsedNumbers>(
      fileOf(space),
      MAX_NUMBERS_BYTES,
      (bytes) => parseNumbers(this.#seal, space, bytes),
      "as if all numbers of the sender ids taken so far had been used",
      () => {
        const used = this.#readIds().difference(this.#fresh);
        return new Map(Array.from(used, (id) => [id, SEQ_RANGE]));
      },
    ) ?? new Map();
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
      if (isOfSystem(error)) throw error;
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

  // Once for as long as it fails: it is tried again all the time.
  #attempt<T>(work: () => T): T | undefined {
    const { folder, logger } = this.#options;
    try {
      const done = work();
      if (this.#isFailing) {
        logger.notice(`state is kept in '${folder.path}' (--state-dir) again`);
      }
      this.#isFailing = false;
      return done;
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      if (!this.#isFailing) {
        logger.error(
          `Cannot keep state in '${folder.path}' (--state-dir): ` +
            `${reasonOf(error)}; sending goes on with the sequence numbers ` +
            "that are reserved, and stops when they are used up",
        );
      }
      this.#isFailing = true;
      return undefined;
    }
  }
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && error.name === "SystemError";
}

/** A space is a hash in base64, whose characters are not all for names. */
function fileOf(space: string): string {
  const name = space.replaceAll("+", "-").replaceAll("/", "_");
  return `numbers-${name.replace(/=+$/, "")}`;
}
