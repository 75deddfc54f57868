// Changes of what this process has accepted, for others: highest numbers, one look
// late. By then datagrams that were under way beside them have arrived at whoever
// is told.
import {
  type AcceptedRecord,
  FINGERPRINT,
  HIGHEST,
  IDS,
  placeOf,
  readRecord,
  RECORDS,
} from "./accepted_records.ts";

/** How far one sender had come under one set of keys. */
export interface HighestAccepted {
  readonly mux: number;
  /** The lower 32 bits of the fingerprint of the keys. */
  readonly print: number;
  readonly senderId: number;
  readonly highest: number;
}

export class AcceptedWatch {
  readonly #words: Uint32Array;
  // As they were at the last look.
  readonly #ids = new Uint32Array(RECORDS);
  readonly #prints = new Uint32Array(RECORDS);
  readonly #highest = new Uint32Array(RECORDS);
  readonly #isThere = new Uint8Array(RECORDS);
  /** Whether the number there has not been told yet. */
  readonly #isNews = new Uint8Array(RECORDS);

  /** @param words Of the memory of accepted numbers */
  constructor(words: Uint32Array) {
    this.#words = words;
    this.look();
    // What is from earlier processes nobody waits for: new members get it all.
    this.#isNews.fill(0);
  }

  /** @returns What had changed by the last look, and was not told before */
  look(): HighestAccepted[] {
    const changes: HighestAccepted[] = [];
    for (let record = 0; record < RECORDS; record++) {
      if (this.#isNews[record] === 1) changes.push(this.#changeOf(record));
      this.#note(record);
    }
    return changes;
  }

  /** All of them, as they were at the last look: to be told after the next. */
  all(): HighestAccepted[] {
    const changes: HighestAccepted[] = [];
    for (let record = 0; record < RECORDS; record++) {
      if (this.#isThere[record] === 1) changes.push(this.#changeOf(record));
    }
    return changes;
  }

  #changeOf(record: number): HighestAccepted {
    const ids = this.#ids[record] ?? 0;
    return {
      mux: ids >>> 16,
      print: this.#prints[record] ?? 0,
      senderId: ids & 0xffff,
      highest: this.#highest[record] ?? 0,
    };
  }

  #note(record: number): void {
    const words = this.#words;
    const at = placeOf(record);
    const ids = words[at + IDS] ?? 0;
    const print = words[at + FINGERPRINT] ?? 0;
    const highest = words[at + HIGHEST] ?? 0;
    const isSame = ids === this.#ids[record] &&
      print === this.#prints[record] && this.#isThere[record] === 1;
    if (isSame && highest === this.#highest[record]) {
      this.#isNews[record] = 0;
      return;
    }
    // Most records are nobody's, and no words.
    const found = (ids | print) !== 0 ? wholeRecord(words, record) : undefined;
    this.#isThere[record] = found ? 1 : 0;
    this.#isNews[record] = found ? 1 : 0;
    this.#ids[record] = found ? found.mux << 16 | found.senderId : 0;
    this.#prints[record] = found ? found.fingerprint % 2 ** 32 : 0;
    this.#highest[record] = found?.highest ?? 0;
  }
}

/** A thread may give it to another sender meanwhile, whose number is another. */
function wholeRecord(
  words: Uint32Array,
  record: number,
): AcceptedRecord | undefined {
  const found = readRecord(words, record);
  const still = readRecord(words, record);
  const isSame = found?.mux === still?.mux &&
    found?.senderId === still?.senderId &&
    found?.fingerprint === still?.fingerprint;
  return isSame ? found : undefined;
}
