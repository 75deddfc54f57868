// Common block: numbers of every space, kept before any space has one, so that
// whatever keys come begin without the disk. Each process has one of its own.
//
// What was used of a space lies below what its file says, or in the common block
// of a process that has lent to it; blocks of its own lie behind all common ones.
// So those numbers of a block that nobody has are free which are not below what
// the file of their space says. Of a process that has ended the next start raises
// the spaces it had lent to, and only then forgets its block. Where nobody knows
// which they were, all below the end of the block counts as used, of every space.
import { SystemError } from "../../ffi/errno.ts";
import type { SharedPages } from "../../ffi/process/shared_pages.ts";
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import { SEQ_RANGE } from "../satp/header.ts";
import type { BootId } from "./boot_id.ts";
import {
  formatLent,
  LENT_BYTES,
  LentSpaces,
  parseLent,
} from "./lent_spaces.ts";
import type { NumberFiles } from "./number_files.ts";
import { BLOCK, type NumberRange } from "./number_store.ts";
import { EVERY_SPACE, type UsedNumbers } from "./used_numbers.ts";

/** The sender ids of each generation. */
export type SenderIdGenerations = readonly (readonly number[])[];

export interface LendingFolder
  extends Pick<StateFolder, "claim" | "disclaim" | "read"> {
  map(
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Pick<SharedPages, "words" | "release">;
}

export class CommonBlock {
  readonly #folder: LendingFolder;
  readonly #bootId: BootId | undefined;
  /** The place of this process among all. */
  #slot: number | undefined;
  /** undefined where it does not outlive the process to whom it has lent. */
  #list: LentSpaces | undefined;
  #range: NumberRange | undefined;
  /** Where spaces began in it that have no block of their own. */
  readonly #lent = new Map<string, number>();

  /** @param bootId undefined where the system has none */
  constructor(folder: LendingFolder, bootId: BootId | undefined) {
    this.#folder = folder;
    this.#bootId = bootId;
  }

  /** undefined before it is on the disk. */
  get range(): NumberRange | undefined {
    return this.#range;
  }

  get isIdle(): boolean {
    return this.#lent.size === 0;
  }

  lend(space: string, first: number): void {
    if (this.#lent.has(space)) return;
    this.#list?.add(space);
    this.#lent.set(space, first);
  }

  lentFrom(space: string): number | undefined {
    return this.#lent.get(space);
  }

  /** When it is on the disk how far they were used, or that they never come back. */
  takeBack(spaces: readonly string[]): void {
    const gone = spaces.filter((space) => this.#lent.delete(space));
    if (gone.length > 0) this.#list?.set(this.#lent.keys());
  }

  /** Raises what ended processes have lent to, and forgets their blocks. */
  inherit(numbers: NumberFiles): void {
    const own = this.#ownSlot();
    for (const slot of slotsIn(numbers.every)) {
      if (slot !== own) {
        if (!this.#folder.claim(slot)) continue;
        this.#folder.disclaim(slot);
      }
      const spaces = this.#listOf(slot) ?? [EVERY_SPACE];
      for (const [id, end] of numbers.every.entries(spaceOf(slot))) {
        for (const space of spaces) numbers.at(space).raise(space, id, end);
      }
      numbers.every.forget(spaceOf(slot));
    }
  }

  /** Once it is on the disk what was inherited: the list of it begins anew. */
  openList(): void {
    if (this.#list === undefined) this.#list = this.#map();
    else this.#list.set([]);
  }

  /**
   * Notes that a block that is free is that of this process.
   * @returns It, to be used when that is on the disk
   */
  place(
    { every }: NumberFiles,
    generations: SenderIdGenerations,
  ): NumberRange | undefined {
    for (const [k, ids] of generations.entries()) {
      const zero = k * SEQ_RANGE;
      const first = firstGap(every, ids);
      if (first >= SEQ_RANGE) continue;
      const end = Math.min(first + BLOCK, SEQ_RANGE);
      for (const id of ids) every.set(spaceOf(this.#ownSlot()), id, end);
      return { first: zero + first, end: zero + end };
    }
    return undefined;
  }

  /** Of keys that have entries of their own numbers go on behind those. */
  wrap({ every }: NumberFiles, generations: SenderIdGenerations): void {
    for (const id of generations.flat()) every.set(EVERY_SPACE, id, 0);
  }

  begin(range: NumberRange): void {
    this.#range = range;
  }

  /** When nothing of it is lent. */
  end({ every }: NumberFiles): void {
    // Else what is noted there may be of an ended process, and not inherited yet.
    if (this.#range === undefined) return;
    this.#range = undefined;
    every.forget(spaceOf(this.#ownSlot()));
  }

  /** For a process that goes on without. */
  release(): void {
    this.#list?.release();
    this.#list = undefined;
  }

  #ownSlot(): number {
    let slot = this.#slot ?? 0;
    while (this.#slot === undefined && !this.#folder.claim(slot)) slot++;
    return this.#slot = slot;
  }

  #listOf(slot: number): readonly string[] | undefined {
    if (this.#bootId === undefined) return undefined;
    try {
      const bytes = this.#folder.read(nameOf(slot), LENT_BYTES);
      return bytes && parseLent(bytes, this.#bootId);
    } catch (error) {
      // Longer than one is.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #map(): LentSpaces | undefined {
    const name = nameOf(this.#ownSlot());
    try {
      const bytes = formatLent(this.#bootId ?? []);
      const pages = this.#folder.map(name, bytes);
      return new LentSpaces(pages);
    } catch (error) {
      // As on file systems without: then nobody knows what is lent.
      if (error instanceof SystemError && error.syscall === "mmap") {
        return undefined;
      }
      throw error;
    }
  }
}

/** The first number of a block that is not used, nor anybody's. */
function firstGap(every: UsedNumbers, ids: readonly number[]): number {
  const most = (space: string) =>
    Math.max(0, ...ids.map((id) => every.of(space, id)));
  const ends = Array.from(slotsIn(every), (slot) => most(spaceOf(slot)));
  let first = most(EVERY_SPACE);
  for (const end of ends.sort((a, b) => a - b)) {
    if (end > first && end - BLOCK < first + BLOCK) first = end;
  }
  return first;
}

function slotsIn(every: UsedNumbers): readonly number[] {
  return [...every.spaces()].flatMap((space) => {
    const [, slot] = /^common-(\d{1,9})$/.exec(space) ?? [];
    return slot === undefined ? [] : [Number(slot)];
  });
}

/** Of the file of every space: the end of a block by sender id. */
function spaceOf(slot: number): string {
  return `common-${slot}`;
}

function nameOf(slot: number): string {
  return `lent-${slot}`;
}
