// Sequence numbers and sender ids that stay used when the process has ended, in
// files of a folder. Other processes may use it at the same time: each reads what
// the others have reserved before it reserves more.
//
// The first block is one for all spaces at once, kept before any of them has a
// number: whatever connections and keys come, thousands of them or while the
// disk is full, they begin without it. A block of its own is for a space that
// needs more, or has used more before.
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { SEQ_RANGE } from "../satp/header.ts";
import { fileOf, NumberFiles, SPACE_NAMES } from "./number_files.ts";
import {
  BLOCK,
  type NumberRange,
  type NumberRequest,
  type NumberStore,
  type UnusedNumbers,
} from "./number_store.ts";
import { type Hash, TextSeal } from "./sealed_text.ts";
import {
  allIds,
  formatIds,
  MAX_IDS_BYTES,
  parseIds,
  type TakenIds,
  withTaken,
} from "./taken_ids.ts";
import { EVERY_SPACE, MAX_NUMBERS_BYTES, UsedNumbers } from "./used_numbers.ts";

const IDS_NAME = "sender-ids";

interface KeeperOptions {
  readonly folder: Pick<
    StateFolder,
    "path" | "pathOf" | "read" | "replace" | "exclusively"
  >;
  readonly hash: Hash;
  readonly logger: Logger;
  /** Whether numbers go on behind the last sender id, under the same one. */
  readonly allowWrap: boolean;
}

/** Numbers go with all sender ids of their generation. */
export class NumberKeeper implements NumberStore {
  readonly #options: KeeperOptions;
  readonly #seal: TextSeal;
  readonly #damaged = new Set<string>();
  #generations: readonly (readonly number[])[] = [];
  /** Of the first generation those that no start took before. */
  #fresh: ReadonlySet<number> = new Set();
  /** The block of every space. */
  #common: NumberRange | undefined;
  /** Where spaces began in it that have none of their own. */
  readonly #lent = new Map<string, number>();
  /** By file the first numbers of spaces that were not used when it was read. */
  readonly #known = new Map<string, ReadonlyMap<string, number>>();
  #isFailing = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#seal = new TextSeal(options.hash);
  }

  /** Sender ids that were ever used, the oldest first. */
  taken(): TakenIds {
    return this.#try(() => this.#readIds()) ?? new Set();
  }

  /** @param generations The sender ids of each generation */
  begin(generations: readonly (readonly number[])[]): void {
    this.#generations = generations;
    const [ids = []] = generations;
    this.#try(() =>
      this.#options.folder.exclusively(() => {
        this.#fresh = new Set(ids).difference(this.#readIds());
        this.#begin();
      })
    );
  }

  firstUnused(space: string): number {
    return this.#try(() => this.#firstKnown(space)) ?? 0;
  }

  reserve(
    requests: readonly NumberRequest[],
  ): readonly (NumberRange | undefined)[] {
    const { folder } = this.#options;
    if (this.#common === undefined) {
      this.#try(() => folder.exclusively(() => this.#begin()));
    }
    const lent = requests.map((request) => this.#lend(request));
    const others = requests.filter((_, k) => lent[k] === undefined);
    if (others.length === 0) return lent;
    const own = this.#try(() =>
      folder.exclusively(() => this.#reserve(others))
    );
    let next = 0;
    return lent.map((range) => range ?? own?.[next++]);
  }

  settle(unused: readonly UnusedNumbers[]): boolean {
    const { folder } = this.#options;
    const done = this.#try(() => {
      folder.exclusively(() => this.#settle(unused));
      return true;
    });
    if (!done) return false;
    for (const { space } of unused) this.#lent.delete(space);
    // Only when it is on the disk what of it was used.
    if (this.#lent.size === 0) {
      this.#try(() => folder.exclusively(() => this.#end()));
    }
    return true;
  }

  forget(spaces: readonly string[]): void {
    this.#try(() =>
      this.#options.folder.exclusively(() => {
        const numbers = this.#open();
        for (const space of spaces) {
          numbers.at(space).forget(space);
          this.#lent.delete(space);
        }
        this.#write(numbers);
      })
    );
  }

  #begin(): void {
    const [ids = []] = this.#generations;
    const request = { space: EVERY_SPACE, from: 0, count: BLOCK };
    const files = SPACE_NAMES
      .map((name) => [name, this.#readNumbers(name)] as const);
    const [common] = this.#reserve([request], ids);
    this.#common = common;
    // From then on numbers are lent without the disk.
    for (const [name, used] of files) this.#note(name, used);
    if (common !== undefined) this.#warnOfKills(common);
  }

  // Each kill leaves a block that no key gets again: new ones are no remedy.
  #warnOfKills({ first, end }: NumberRange): void {
    const { allowWrap, logger } = this.#options;
    const last = this.#generations.length - 1;
    if (allowWrap || first < (last + 1 / 2) * SEQ_RANGE) return;
    const ids = this.#generations[last]?.join(", ");
    logger.warning(
      `${first < end ? "half" : "all"} of the sequence numbers of sender id ` +
        `${ids} are used up for all keys, as by kills (--state-dir): give ` +
        "another --sender-id",
    );
  }

  /** What others reserve of this space meanwhile lies behind the block. */
  #lend({ space, from }: NumberRequest): NumberRange | undefined {
    const common = this.#common;
    const known = this.#try(() => this.#firstKnown(space));
    if (common === undefined || known === undefined) return undefined;
    const first = Math.max(from, known);
    // What wraps is told apart by its own file alone.
    const isOut = first >= common.end ||
      first >= this.#generations.length * SEQ_RANGE;
    if (isOut) return undefined;
    if (!this.#lent.has(space)) this.#lent.set(space, first);
    return { first, end: common.end };
  }

  #firstKnown(space: string): number {
    const name = fileOf(space);
    const known = this.#known.get(name) ??
      this.#firstNumbers(this.#readNumbers(name));
    const common = this.#common?.first ?? 0;
    const every = known.get(EVERY_SPACE) ?? 0;
    return Math.max(common, every, known.get(space) ?? 0);
  }

  #note(name: string, used: UsedNumbers): void {
    this.#known.set(name, this.#firstNumbers(used));
  }

  // From the common block on: that the sender ids before are used up is in the
  // file of every space alone.
  #firstNumbers(used: UsedNumbers): ReadonlyMap<string, number> {
    const from = this.#common?.first ?? 0;
    const numbers = Array.from(used.spaces(), (space) => {
      const first = this.#firstFree((id) => used.of(space, id), from);
      return [space, first] as const;
    });
    // With sender ids that are new nothing was used of any.
    return new Map(numbers.filter(([, first]) => first > from));
  }

  /** @param start Sender ids that are taken in any case */
  #reserve(
    requests: readonly NumberRequest[],
    start: readonly number[] = [],
  ): readonly NumberRange[] {
    const before = this.#readIds();
    let taken = start.length > 0 ? withTaken(before, start) : before;
    const numbers = this.#open();
    const ranges = requests.map(({ space, from, count }) => {
      const first = this.#firstFree((id) => numbers.of(space, id), from);
      const generation = Math.floor(first / SEQ_RANGE);
      const ids = this.#idsOf(generation);
      if (ids === undefined) return { first, end: first };
      const zero = generation * SEQ_RANGE;
      const end = Math.min(first + count, zero + SEQ_RANGE);
      this.#keepLent(numbers, space);
      for (const id of ids) numbers.at(space).set(space, id, end - zero);
      if (ids.some((id) => !taken.has(id))) taken = withTaken(taken, ids);
      return { first, end };
    });
    this.#write(numbers, taken === before ? undefined : taken);
    for (const { space } of requests) this.#lent.delete(space);
    return ranges;
  }

  // With a block of another sender id the file would not say it otherwise.
  #keepLent(numbers: NumberFiles, space: string): void {
    const { end } = this.#common ?? {};
    if (end === undefined || !this.#lent.has(space)) return;
    this.#settleOne(numbers, { space, next: end, end });
  }

  #settle(unused: readonly UnusedNumbers[]): void {
    const numbers = this.#open();
    for (const range of unused) this.#settleOne(numbers, range);
    this.#write(numbers);
  }

  #end(): void {
    if (this.#common === undefined) return;
    const { first, end } = this.#common;
    const numbers = this.#open();
    this.#giveBack(numbers, { space: EVERY_SPACE, next: first, end });
    this.#common = undefined;
    this.#write(numbers);
  }

  #settleOne(numbers: NumberFiles, range: UnusedNumbers): void {
    const { space, next, end } = range;
    const lentFrom = this.#lent.get(space);
    if (lentFrom === undefined) return this.#giveBack(numbers, range);
    if (next <= lentFrom) return;
    const used = Math.min(next, end);
    const generation = Math.floor(lentFrom / SEQ_RANGE);
    for (const id of this.#idsOf(generation) ?? []) {
      numbers.at(space).raise(space, id, used - generation * SEQ_RANGE);
    }
  }

  #giveBack(numbers: NumberFiles, { space, next, end }: UnusedNumbers): void {
    if (next >= end) return;
    const last = Math.floor((end - 1) / SEQ_RANGE);
    for (let k = Math.floor(next / SEQ_RANGE); k <= last; k++) {
      const reserved = Math.min(end - k * SEQ_RANGE, SEQ_RANGE);
      const exact = Math.max(0, next - k * SEQ_RANGE);
      for (const id of this.#idsOf(k) ?? []) {
        numbers.at(space).lower(space, id, reserved, exact);
      }
    }
  }

  /** At or above a number; behind all of them where there is none. */
  #firstFree(used: (id: number) => number, from: number): number {
    let first = from;
    for (let k = Math.floor(from / SEQ_RANGE);; k++) {
      const ids = this.#generations[k];
      if (ids === undefined) return first;
      const most = Math.max(0, ...ids.map(used));
      first = Math.max(first, k * SEQ_RANGE + most);
      if (first < (k + 1) * SEQ_RANGE) return first;
    }
  }

  #idsOf(generation: number): readonly number[] | undefined {
    const ids = this.#generations[generation];
    return ids ?? (this.#options.allowWrap ? this.#generations.at(-1) : ids);
  }

  #open(): NumberFiles {
    return new NumberFiles((name) => this.#readNumbers(name));
  }

  #write(numbers: NumberFiles, taken?: TakenIds): void {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    if (taken !== undefined) {
      files.set(IDS_NAME, formatIds(this.#seal, taken));
    }
    for (const [name, used] of numbers.all()) {
      if (used.isChanged) files.set(name, used.format(this.#seal));
    }
    if (files.size > 0) this.#replace(files);
    // Also where others have used more, and nothing was to be changed.
    for (const [name, used] of numbers.all()) {
      if (this.#known.has(name)) this.#note(name, used);
    }
  }

  #replace(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): void {
    const { folder, logger } = this.#options;
    folder.replace(files);
    if (!this.#isFailing) return;
    this.#isFailing = false;
    logger.notice(`state is kept in '${folder.path}' (--state-dir) again`);
  }

  #readIds(): TakenIds {
    return this.#readFile(
      IDS_NAME,
      MAX_IDS_BYTES,
      (bytes) => parseIds(this.#seal, bytes),
      "as if all sender ids had been taken",
      allIds,
    ) ?? new Set();
  }

  #readNumbers(name: string): UsedNumbers {
    return this.#readFile<UsedNumbers>(
      name,
      MAX_NUMBERS_BYTES,
      (bytes) => UsedNumbers.parse(this.#seal, bytes),
      "as if all numbers of the sender ids taken so far had been used",
      () => UsedNumbers.all(this.#readIds().difference(this.#fresh)),
    ) ?? new UsedNumbers();
  }

  /** @param worst What is assumed of a file that is damaged. */
  #readFile<T>(
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

  // Told once for as long as it fails: it is tried again all the time.
  #try<T>(work: () => T): T | undefined {
    const { folder, logger } = this.#options;
    try {
      return work();
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
