// State files of accepted numbers, as a crash, a full disk or a hand left them.
import { strict as assert } from "node:assert";
import { AcceptedMemory } from "../../../src/state/accepted_memory.ts";
import { AcceptedNumbers } from "../../../src/state/accepted_numbers.ts";
import {
  type AcceptedRecord,
  FILE_WORDS,
  formatAccepted,
  HEADER_WORDS,
  HIGHEST,
  parseAccepted,
  placeOf,
  readRecord,
  RECORD_WORDS,
  RECORDS,
  writeRecord,
} from "../../../src/state/accepted_records.ts";
import { bootIdOf } from "../../../src/state/boot_id.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { ByteReader, hashOf } from "../bytes.ts";
import type { Target } from "../target.ts";

/** Of a byte: a record of some sender, and not just bytes. */
const MADE = 1;
/** Of a byte: one of its bytes is another. */
const SPOILT = 2;
/** Of a byte: it is in the other file. */
const OTHER_FILE = 4;
/** Of the first byte: the system has been started again in between. */
const OTHER_BOOT = 1;
/** Of the first byte: a byte of the header is another. */
const SPOILT_HEADER = 2;

const MAX_RECORDS = 4;
const RECORD_BYTES = RECORD_WORDS * 4;
const HEADER_BYTES = HEADER_WORDS * 4;
/** The word behind the check is of no record. */
const CHECKED = [0, 1, 2, 6];

/**
 * A whole file is 1 MiB: one of so many inputs is taken for one, and otherwise
 * its records are looked at alone.
 */
const WHOLE = 8192;

/** What a crash of the system adds: three seconds, and 64. */
const MOST_ADDED = 3 * 2 ** 20 + 64;
const LEAST_ADDED = 64;

const IDS = ["fingerprint", "mux", "senderId"] as const;
const ALL = [...IDS, "highest", "seen", "peak"] as const;

const BOOT = bootIdOf("0123456789abcdef0123456789abcdef");
const OTHER = bootIdOf("f");

interface Planned {
  readonly flags: number;
  readonly made: AcceptedRecord;
  readonly bytes: Uint8Array;
  readonly spoilt: { readonly at: number; readonly by: number };
}

/** An input is what happened to the file, and records, made or as bytes. */
export default function open(): Target {
  const words = new Uint32Array(FILE_WORDS);
  const empty = formatAccepted(BOOT, []);
  const record = (flags: number, ...bytes: number[]) => [
    ...[flags, ...bytes, ...Array(RECORD_BYTES - bytes.length).fill(0)],
  ];
  return {
    seeds: [
      [0, ...record(MADE, 1, 5, 7, 0, 0, 1, 0)],
      [0, ...record(MADE, 1, 5, 7, 0, 0, 1), ...record(MADE, 1, 5, 7, 0, 9)],
      [OTHER_BOOT, ...record(MADE, 1, 5, 7, 0, 1), ...record(0, 1, 2, 3)],
      [0, ...record(MADE | SPOILT, 1, 5, 7), ...record(MADE | OTHER_FILE, 2)],
      [SPOILT_HEADER, 8, 1, ...record(MADE, 1, 2, 3, 4)],
      [SPOILT_HEADER, 40, 1, ...record(MADE, 1, 2, 3, 4)],
    ].map((bytes) => Uint8Array.from(bytes)),
    maxBytes: 3 + MAX_RECORDS * (RECORD_BYTES + 3),
    run(input) {
      const bytes = new ByteReader(input);
      const flags = bytes.byte();
      const header = flags & SPOILT_HEADER
        ? { at: bytes.byte() % HEADER_BYTES, by: bytes.byte() }
        : { at: 0, by: 0 };
      const planned = plansOf(bytes);
      for (const [k, plan] of planned.entries()) assertRead(words, k, plan);
      if (hashOf(input) % WHOLE !== 0) return;
      const files = new FolderInMemory();
      for (const which of [0, OTHER_FILE]) {
        const file = Uint8Array.from(empty);
        for (const [k, plan] of planned.entries()) {
          if ((plan.flags & OTHER_FILE) === which) put(file, 7 * k + 3, plan);
        }
        const by = which === 0 ? header.by : 0;
        file[header.at] = (file[header.at] ?? 0) ^ by;
        files.contents.set(`accepted-${which}`, file);
      }
      const isCrash = (flags & OTHER_BOOT) !== 0;
      assertGoesOn(files, isCrash ? OTHER : BOOT, isCrash && header.by === 0);
    },
  };
}

function plansOf(bytes: ByteReader): Planned[] {
  const plans: Planned[] = [];
  while (!bytes.isAtEnd && plans.length < MAX_RECORDS) {
    const flags = bytes.byte();
    const spoilt = flags & SPOILT
      ? { at: bytes.byte() % RECORD_BYTES, by: bytes.byte() }
      : { at: 0, by: 0 };
    const taken = bytes.take(RECORD_BYTES);
    const fields = new ByteReader(taken);
    const made = {
      fingerprint: fields.byte() * 2 ** 44 + 1,
      mux: fields.byte(),
      senderId: fields.byte(),
      highest: fields.u32(),
      seen: fields.u32(),
      peak: fields.u32(),
    };
    const whole = new Uint8Array(RECORD_BYTES);
    whole.set(taken);
    plans.push({ flags, made, bytes: whole, spoilt });
  }
  return plans;
}

/** What was made is read, and nothing whose check is wrong. */
function assertRead(words: Uint32Array, k: number, plan: Planned): void {
  put(new Uint8Array(words.buffer), k, plan);
  const found = readRecord(words, k);
  const { flags, made, spoilt: { at, by } } = plan;
  const isWhole = (flags & MADE) !== 0 &&
    (by === 0 || !CHECKED.includes(at >> 2));
  if (!isWhole) {
    const check = words[placeOf(k) + 6] ?? 0;
    assert.ok(found === undefined || check !== 0);
    if (flags & MADE) assert.equal(found, undefined);
  } else {
    assert.ok(found !== undefined);
    for (const name of by === 0 ? ALL : IDS) {
      assert.equal(found[name], made[name]);
    }
  }
}

function put(file: Uint8Array, k: number, plan: Planned): void {
  const { flags, made, bytes, spoilt } = plan;
  const at = placeOf(k) * 4;
  if (flags & MADE) writeRecord(new Uint32Array(file.buffer), k, made);
  else file.set(bytes, at);
  file[at + spoilt.at] = (file[at + spoilt.at] ?? 0) ^ spoilt.by;
}

/** The next process has every sender that is in a file, as far or further. */
function assertGoesOn(
  files: FolderInMemory,
  boot: readonly number[],
  isCrash: boolean,
): void {
  const before = [...files.contents.values()].flatMap((file) => {
    try {
      return parseAccepted(file).records;
    } catch (error) {
      assert.ok(error instanceof Error);
      assert.match(error.message, /^its (size|header) is wrong$/);
      return [];
    }
  });
  const logger = recordingLog();
  void new AcceptedNumbers({ folder: files, bootId: boot, logger });
  const memory = new AcceptedMemory(files.words);
  const names = new Set(
    before.map(({ mux, fingerprint }) => `${mux} ${fingerprint}`),
  );
  for (const name of names) {
    const [mux = 0, fingerprint = 0] = name.split(" ").map(Number);
    const places = memory.recall(mux, fingerprint);
    for (const one of before) {
      if (one.mux !== mux || one.fingerprint !== fingerprint) continue;
      const highest = files.words[places.get(one.senderId) ?? -1];
      assertKept(one, before, highest, isCrash ? LEAST_ADDED : 0);
    }
  }
}

function assertKept(
  { mux, fingerprint, senderId }: AcceptedRecord,
  before: readonly AcceptedRecord[],
  highest: number | undefined,
  least: number,
): void {
  assert.ok(highest !== undefined, "a sender is forgotten");
  const all = before.filter((other) =>
    other.mux === mux && other.fingerprint === fingerprint &&
    other.senderId === senderId
  ).map(({ highest }) => highest);
  const added = all.map((one) => (highest - one) >>> 0);
  assert.ok(added.some((one) => one >= least && one <= MOST_ADDED));
  // Of more than half a circle nobody can tell which is further.
  if (Math.max(...all) - Math.min(...all) >= 2 ** 31 - MOST_ADDED) return;
  assert.ok(added.every((one) => one >= least && one < 2 ** 31));
}

class FolderInMemory {
  readonly contents = new Map<string, Uint8Array<ArrayBuffer>>();
  words = new Uint32Array();

  pathOf(name: string): string {
    return `state/${name}`;
  }

  names(): readonly string[] {
    return [...this.contents.keys(), "sender-ids", "accepted-x"];
  }

  read(name: string): Uint8Array<ArrayBuffer> | undefined {
    return this.contents.get(name);
  }

  hold(name: string): boolean {
    return name === ".accepted-1.lock";
  }

  map(name: string, bytes: Uint8Array<ArrayBuffer>) {
    assert.equal(name, "accepted-1");
    const words = this.words = new Uint32Array(bytes.buffer);
    assert.equal(words[placeOf(RECORDS - 1) + HIGHEST], 0);
    const place = { address: 0n, bytes: bytes.length };
    return { place, words, sync: () => Promise.resolve(), release() {} };
  }
}
