// Highest numbers accepted of each sender, beyond the life of the process: a file
// that the threads which receive have as memory. Each process has one of its
// own, and begins with what is in all of them.
import type {
  PagesPlace,
  SharedPages,
} from "../../ffi/process/shared_pages.ts";
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import {
  type AcceptedFile,
  type AcceptedRecord,
  FILE_WORDS,
  formatAccepted,
  HIGHEST,
  markClean,
  noteSeen,
  parseAccepted,
  placeOf,
  RECORDS,
  SEEN,
} from "./accepted_records.ts";
import { type BootId, isSameBoot } from "./boot_id.ts";

const MAX_PROCESSES = 256;

/** Room for the senders of this start; the oldest of others give way. */
const MOST_OF_OTHERS = RECORDS / 2;

/**
 * What a crash of the system can cost: the file is on the disk every second,
 * and a while is needed for that.
 */
const SECONDS_LOST = 3;
const LEAST_MARGIN = 64;
/** More in a second is no rate, but a start of the peer. */
const MAX_STEP = 2 ** 20;

type Pages = Pick<SharedPages, "place" | "words" | "sync" | "release">;

interface AcceptedOptions {
  readonly folder:
    & Pick<StateFolder, "pathOf" | "names" | "read" | "hold">
    & { map(name: string, bytes: Uint8Array<ArrayBuffer>): Pages };
  readonly bootId: BootId;
  readonly logger: Logger;
}

export class AcceptedNumbers {
  readonly #pages: Pages;
  /** At the last look. */
  readonly #highest: Uint32Array;
  /** Whether it has moved since the start, so that a step is a rate. */
  readonly #isHeard = new Uint8Array(RECORDS);
  #syncing: Promise<void> | undefined;

  /** @throws if there is no place for the file */
  constructor({ folder, bootId, logger }: AcceptedOptions) {
    const own = ownName(folder);
    const files = folder.names().filter((name) => /^accepted-\d+$/.test(name))
      .map((name) => readFile(folder, name, logger))
      .filter((file) => file !== undefined);
    const records = newest(files.flatMap((file) => trusted(file, bootId)));
    this.#pages = folder.map(own, formatAccepted(bootId, records));
    this.#highest = Uint32Array.from(
      { length: RECORDS },
      (_, k) => this.#pages.words[placeOf(k) + HIGHEST] ?? 0,
    );
  }

  get place(): PagesPlace {
    return this.#pages.place;
  }

  /**
   * To be called every second.
   * @param now Seconds since 1970
   * @returns Resolves when all is on the disk
   */
  look(now: number): Promise<void> {
    const { words } = this.#pages;
    for (let k = 0; k < RECORDS; k++) {
      const highest = words[placeOf(k) + HIGHEST] ?? 0;
      const step = (highest - (this.#highest[k] ?? 0)) >>> 0;
      // Of a sender that has come since the last look, perhaps after another one.
      const isNew = words[placeOf(k) + SEEN] === 0 && highest !== 0;
      if (step === 0 && !isNew) continue;
      const isRate = this.#isHeard[k] === 1 && !isNew && step <= MAX_STEP;
      noteSeen(words, k, now, isRate ? step : 0);
      this.#highest[k] = highest;
      this.#isHeard[k] = 1;
    }
    // A disk that is slow is not asked twice.
    return this.#syncing ??= this.#pages.sync()
      .finally(() => this.#syncing = undefined);
  }

  /** What is in the file is all that was accepted, and is on the disk. */
  async close(): Promise<void> {
    markClean(this.#pages.words);
    await this.#syncing;
    await this.#pages.sync();
  }

  /** For a process that goes on, when no thread receives any more. */
  release(): void {
    this.#pages.release();
  }
}

function ownName(folder: AcceptedOptions["folder"]): string {
  for (let k = 0; k < MAX_PROCESSES; k++) {
    if (folder.hold(`.accepted-${k}.lock`)) return `accepted-${k}`;
  }
  throw new Error(
    `Cannot keep which numbers were accepted: ${MAX_PROCESSES} processes do`,
  );
}

function readFile(
  folder: AcceptedOptions["folder"],
  name: string,
  logger: Logger,
): AcceptedFile | undefined {
  try {
    const bytes = folder.read(name, FILE_WORDS * 4);
    return bytes && parseAccepted(bytes);
  } catch (error) {
    logger.error(
      `Cannot use '${folder.pathOf(name)}' (--state-dir): ` +
        `${reasonOf(error)}; recordings of datagrams that were accepted ` +
        "before may be accepted once more",
    );
    return undefined;
  }
}

/** After a crash of the system the last seconds are not in the file. */
function trusted(
  { isClean, bootId, records }: AcceptedFile,
  now: BootId,
): readonly AcceptedRecord[] {
  const isWhole = isClean || isSameBoot(bootId, now);
  if (isWhole) return records;
  return records.map((record) => {
    const peak = Math.min(record.peak, MAX_STEP);
    const margin = SECONDS_LOST * peak + LEAST_MARGIN;
    return { ...record, highest: (record.highest + margin) >>> 0 };
  });
}

/**
 * One for each sender, the furthest; as many as may be: of each connection those
 * heard last, and of none so many that another one has to do with fewer.
 */
function newest(
  records: readonly AcceptedRecord[],
): readonly AcceptedRecord[] {
  const furthest = new Map<string, AcceptedRecord>();
  for (const record of records) {
    const name = `${record.fingerprint} ${record.mux} ${record.senderId}`;
    const other = furthest.get(name);
    const isAhead = other === undefined ||
      ((record.highest - other.highest) | 0) > 0;
    if (isAhead) furthest.set(name, record);
  }
  const sorted = [...furthest.values()].sort((a, b) => b.seen - a.seen);
  const counts = new Map<string, number>();
  const turns = sorted.map((record) => {
    const name = `${record.fingerprint} ${record.mux}`;
    const turn = counts.get(name) ?? 0;
    counts.set(name, turn + 1);
    return { record, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).slice(0, MOST_OF_OTHERS)
    .map(({ record }) => record);
}
