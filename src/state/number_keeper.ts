// Sequence numbers and sender ids that stay used when the process has ended, in
// files of a folder. Other processes may use it at the same time: each reads what
// the others have reserved before it reserves more.
//
// Spaces begin in the common block; a block of its own is for a space that needs
// more, or has used more before.
import { SystemError } from "../../ffi/errno.ts";
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { SEQ_RANGE } from "../satp/header.ts";
import type { BootId } from "./boot_id.ts";
import {
  CommonBlock,
  type LendingFolder,
  type SenderIdGenerations,
} from "./common_block.ts";
import { fileOf, type NumberFiles, SPACE_NAMES } from "./number_files.ts";
import type {
  NumberRange,
  NumberRequest,
  NumberStore,
  UnusedNumbers,
} from "./number_store.ts";
import type { Hash } from "./sealed_text.ts";
import { type TakenIds, withTaken } from "./taken_ids.ts";
import { UsedFiles } from "./used_files.ts";
import { EVERY_SPACE, type UsedNumbers } from "./used_numbers.ts";

interface KeeperOptions {
  readonly folder:
    & Pick<StateFolder, "path" | "pathOf" | "read" | "replace" | "exclusively">
    & LendingFolder;
  readonly hash: Hash;
  /** undefined where the system has none. */
  readonly bootId: BootId | undefined;
  readonly logger: Logger;
  /** Whether numbers go on behind the last sender id, under the same one. */
  readonly allowWrap: boolean;
}

/** Numbers go with all sender ids of their generation. */
export class NumberKeeper implements NumberStore {
  readonly #options: KeeperOptions;
  readonly #files: UsedFiles;
  readonly #common: CommonBlock;
  #generations: SenderIdGenerations = [];
  /** By file the first numbers of spaces that were not used when it was read. */
  readonly #known = new Map<string, ReadonlyMap<string, number>>();
  #isFailing = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#files = new UsedFiles(options);
    this.#common = new CommonBlock(options.folder, options.bootId);
  }

  /** Sender ids that were ever used, the oldest first. */
  taken(): TakenIds {
    return this.#try(() => this.#files.readIds()) ?? new Set();
  }

  /** @param generations The sender ids of each generation */
  begin(generations: SenderIdGenerations): void {
    this.#generations = generations;
    this.#exclusively(() => this.#begin());
  }

  firstUnused(space: string): number {
    return this.#try(() => this.#firstKnown(space)) ?? 0;
  }

  reserve(
    requests: readonly NumberRequest[],
  ): readonly (NumberRange | undefined)[] {
    if (this.#common.range === undefined) {
      this.#exclusively(() => this.#begin());
    }
    const lent = requests.map((request) => this.#lend(request));
    const others = requests.filter((_, k) => lent[k] === undefined);
    if (others.length === 0) return lent;
    const own = this.#exclusively(() => this.#reserve(others));
    let next = 0;
    return lent.map((range) => range ?? own?.[next++]);
  }

  settle(unused: readonly UnusedNumbers[]): boolean {
    const done = this.#exclusively(() => {
      this.#settle(unused);
      return true;
    });
    if (!done) return false;
    this.#common.takeBack(unused.map(({ space }) => space));
    if (this.#common.isIdle) this.#exclusively(() => this.#end());
    return true;
  }

  forget(spaces: readonly string[]): void {
    const done = this.#exclusively(() => {
      const numbers = this.#files.open();
      for (const space of spaces) numbers.at(space).forget(space);
      this.#write(numbers);
      return true;
    });
    if (done) this.#common.takeBack(spaces);
  }

  /** For a process that goes on, when nothing is reserved any more. */
  release(): void {
    this.#common.release();
  }

  #begin(): void {
    const [ids = []] = this.#generations;
    this.#files.start(ids, () => this.#start(ids));
  }

  #start(ids: readonly number[]): void {
    const common = this.#common;
    const numbers = this.#files.open();
    common.inherit(numbers);
    this.#files.write(numbers);
    common.openList();
    const files = SPACE_NAMES
      .map((name) => [name, numbers.named(name)] as const);
    const place = () => common.place(numbers, this.#generations);
    let range = place();
    const isWrapped = range === undefined && this.#options.allowWrap;
    if (isWrapped) {
      common.wrap(numbers, this.#generations);
      range = place();
    }
    const none = this.#generations.length * SEQ_RANGE;
    range ??= { first: none, end: none };
    const present = this.#generations[Math.floor(range.first / SEQ_RANGE)] ??
      [];
    const taken = withTaken(this.#files.readIds(), ids);
    this.#write(numbers, withTaken(taken, present));
    common.begin(range);
    // From then on numbers are lent without the disk.
    for (const [name, used] of files) this.#note(name, used);
    this.#warnOfUse(range, isWrapped);
  }

  // After a crash of the system nobody knows which keys had numbers of a block,
  // and no key gets them again: new ones are no remedy.
  #warnOfUse({ first, end }: NumberRange, isWrapped: boolean): void {
    const { allowWrap, logger } = this.#options;
    const last = this.#generations.length - 1;
    const isLow = !allowWrap && first >= (last + 1 / 2) * SEQ_RANGE;
    if (!isLow && !isWrapped) return;
    const ids = this.#generations[last]?.join(", ");
    const much = isWrapped || first === end ? "all" : "half";
    logger.warning(
      `${much} of the sequence numbers of sender id ${ids} are used up for ` +
        "all keys, as by crashes of the system (--state-dir): " +
        (isWrapped
          ? "with --allow-wrap they begin anew"
          : "give another --sender-id"),
    );
  }

  /** What others reserve of this space meanwhile lies behind the block. */
  #lend({ space, from }: NumberRequest): NumberRange | undefined {
    const { range } = this.#common;
    const known = this.#try(() => this.#firstKnown(space));
    if (range === undefined || known === undefined) return undefined;
    const first = Math.max(from, known);
    // What wraps is told apart by its own file alone.
    const isOut = first >= range.end ||
      first >= this.#generations.length * SEQ_RANGE;
    if (isOut) return undefined;
    this.#common.lend(space, first);
    return { first, end: range.end };
  }

  #firstKnown(space: string): number {
    const name = fileOf(space);
    const known = this.#known.get(name) ??
      this.#firstNumbers(this.#files.readNumbers(name));
    const common = this.#common.range?.first ?? 0;
    const every = known.get(EVERY_SPACE) ?? 0;
    return Math.max(common, every, known.get(space) ?? 0);
  }

  #note(name: string, used: UsedNumbers): void {
    this.#known.set(name, this.#firstNumbers(used));
  }

  // From the common block on: that the sender ids before are used up is in the
  // file of every space alone.
  #firstNumbers(used: UsedNumbers): ReadonlyMap<string, number> {
    const from = this.#common.range?.first ?? 0;
    const numbers = Array.from(used.spaces(), (space) => {
      const first = this.#firstFree((id) => used.of(space, id), from);
      return [space, first] as const;
    });
    // With sender ids that are new nothing was used of any.
    return new Map(numbers.filter(([, first]) => first > from));
  }

  #reserve(requests: readonly NumberRequest[]): readonly NumberRange[] {
    const before = this.#files.readIds();
    let taken = before;
    const numbers = this.#files.open();
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
    this.#common.takeBack(requests.map(({ space }) => space));
    return ranges;
  }

  // With a block of another sender id the file would not say it otherwise.
  #keepLent(numbers: NumberFiles, space: string): void {
    const { end } = this.#common.range ?? {};
    if (end === undefined || this.#common.lentFrom(space) === undefined) return;
    this.#settleOne(numbers, { space, next: end, end });
  }

  #settle(unused: readonly UnusedNumbers[]): void {
    const numbers = this.#files.open();
    for (const range of unused) this.#settleOne(numbers, range);
    this.#write(numbers);
  }

  #end(): void {
    const numbers = this.#files.open();
    this.#common.end(numbers);
    this.#write(numbers);
  }

  #settleOne(numbers: NumberFiles, range: UnusedNumbers): void {
    const { space, next, end } = range;
    const lentFrom = this.#common.lentFrom(space);
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

  #write(numbers: NumberFiles, taken?: TakenIds): void {
    const { folder, logger } = this.#options;
    if (this.#files.write(numbers, taken) && this.#isFailing) {
      this.#isFailing = false;
      logger.notice(`state is kept in '${folder.path}' (--state-dir) again`);
    }
    // Also where others have used more, and nothing was to be changed.
    for (const [name, used] of numbers.all()) {
      if (this.#known.has(name)) this.#note(name, used);
    }
  }

  #exclusively<T>(work: () => T): T | undefined {
    return this.#try(() => this.#options.folder.exclusively(work));
  }

  // Told once for as long as it fails: it is tried again all the time.
  #try<T>(work: () => T): T | undefined {
    const { folder, logger } = this.#options;
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (!this.#isFailing) {
        logger.error(
          `Cannot keep state in '${folder.path}' (--state-dir): ` +
            `${reasonOf(error)}; what is sent has sequence numbers that are ` +
            "reserved already, and sending stops when they are used up",
        );
      }
      this.#isFailing = true;
      return undefined;
    }
  }
}
