// State files that are text: numbers used in a space, and sender ids taken.
import { strict as assert } from "node:assert";
import { SEQ_RANGE } from "../../../src/satp/header.ts";
import { fileOf } from "../../../src/state/number_files.ts";
import { NumberKeeper } from "../../../src/state/number_keeper.ts";
import { BLOCK } from "../../../src/state/number_store.ts";
import { TextSeal } from "../../../src/state/sealed_text.ts";
import {
  formatIds,
  MAX_IDS_BYTES,
  parseIds,
  type TakenIds,
} from "../../../src/state/taken_ids.ts";
import { EVERY_SPACE, UsedNumbers } from "../../../src/state/used_numbers.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { hashOf, isSame } from "../bytes.ts";
import type { Target } from "../target.ts";

/** Of the first byte: the file of the sender ids, not one of numbers. */
const IDS = 1;
/** Of the first byte: as it is, without a checksum that is right. */
const UNSEALED = 2;
/** Of the first byte: numbers go on behind the last sender id. */
const WRAPS = 4;

const SPACE = "space+of/a/hash=";
/** Sender ids of this start, by generation. */
const GENERATIONS = [[7, 8], [9]];

/** A start on a file costs ten times what reading it does: one of so many. */
const WHOLE = 8;

/** What a checksum is good for is tested elsewhere. */
const quickHash = (data: Uint8Array) => hashOf(data).toString(36);

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

/** An input is which file it is, and its text without or with a checksum. */
export default function open(): Target {
  const seal = new TextSeal(quickHash);
  const bodyOf = (file: Uint8Array) =>
    decoder.decode(file).replace(/sum .*\n$/, "");
  const used = new UsedNumbers();
  used.set(EVERY_SPACE, 7, 4000);
  used.set(SPACE, 7, 5000);
  used.set(SPACE, 8, SEQ_RANGE);
  used.set("another", 300, 1);
  const numbers = used.format(seal);
  const ids = formatIds(seal, new Set([300, 7, 65_535]));
  const first = (...flags: number[]) =>
    String.fromCharCode(flags.reduce((sum, flag) => sum | flag, 0));
  return {
    seeds: [
      first() + bodyOf(numbers),
      first(WRAPS) + bodyOf(numbers),
      first(UNSEALED) + decoder.decode(numbers),
      first(IDS) + bodyOf(ids),
      first(IDS, UNSEALED) + decoder.decode(ids),
      first() + `anytun-numbers 1\nspace ${SPACE}\n`,
    ].map((text) => encoder.encode(text)),
    words: [
      ...["anytun-numbers 1\n", "anytun-sender-ids 1\n", `space ${SPACE}\n`],
      `space ${EVERY_SPACE}\n`,
      ...["\nsum ", "\n", " ", "7 ", "8 ", "9 ", "4294967296", "4294967295"],
      ...["65535", "65536", "00007", "\0", "\r\n", "-1 ", "1e3"],
    ],
    maxBytes: 160,
    run(input) {
      const flags = input[0] ?? 0;
      const text = decoder.decode(input.subarray(1));
      const file = flags & UNSEALED ? encoder.encode(text) : sealed(seal, text);
      if (flags & IDS) assertIds(seal, file);
      else {
        const used = read(() => UsedNumbers.parse(seal, file));
        if (used !== undefined) assertUsed(seal, used);
        if (hashOf(input) % WHOLE !== 0) return;
        assertGoesOn(file, used, (flags & WRAPS) !== 0);
      }
    },
  };
}

function sealed(seal: TextSeal, text: string): Uint8Array<ArrayBuffer> {
  const [kind = "", ...lines] = text.replace(/\n$/, "").split("\n");
  return seal.seal(kind, lines);
}

function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    // Of what is no UTF-8 the decoder says so.
    const isRefusal = error instanceof TypeError ||
      error instanceof Error && error.name === "Error";
    assert.ok(isRefusal, `untyped: ${error}`);
    return undefined;
  }
}

function assertIds(seal: TextSeal, file: Uint8Array): void {
  const taken: TakenIds | undefined = read(() => parseIds(seal, file));
  if (taken === undefined) return;
  for (const id of taken) assert.ok(Number.isInteger(id) && id <= 0xffff);
  const again = formatIds(seal, taken);
  assert.ok(again.length <= MAX_IDS_BYTES);
  assert.deepEqual([...parseIds(seal, again)], [...taken]);
}

function assertUsed(seal: TextSeal, used: UsedNumbers): void {
  const again = used.format(seal);
  const same = UsedNumbers.parse(seal, again);
  for (const space of [...used.spaces(), EVERY_SPACE]) {
    for (const id of [7, 8, 9, 300, 65_535]) {
      const next = used.of(space, id);
      assert.ok(Number.isInteger(next) && next <= SEQ_RANGE);
      assert.equal(same.of(space, id), next);
    }
  }
  assert.ok(isSame(same.format(seal), again));
}

/** Whatever is in the file, no number is given out that it says is used. */
function assertGoesOn(
  file: Uint8Array<ArrayBuffer>,
  used: UsedNumbers | undefined,
  allowWrap: boolean,
): void {
  const folder = new FolderInMemory();
  const ids = new TextSeal(quickHash);
  folder.files.set("sender-ids", formatIds(ids, new Set([7, 8, 9])));
  folder.files.set(fileOf(SPACE), file);
  let last = 0;
  for (let start = 0; start < 2; start++) {
    const logger = recordingLog();
    const keeper = new NumberKeeper({
      ...{ folder, hash: quickHash, logger, allowWrap, bootId: [] },
    });
    keeper.begin(GENERATIONS);
    const left = keeper.firstUnused(SPACE);
    assert.ok(left >= last);
    const [range] = keeper.reserve([{ space: SPACE, from: 0, count: BLOCK }]);
    assert.ok(range !== undefined && range.first >= left);
    assert.ok(range.end >= range.first && range.end <= range.first + BLOCK);
    assertFree(range.first, range.end, used);
    // With --allow-wrap they begin again behind all.
    if (range.first >= GENERATIONS.length * SEQ_RANGE) return;
    last = range.end;
  }
}

/** Of a generation no number is free that any of its sender ids has used. */
function assertFree(
  first: number,
  end: number,
  used: UsedNumbers | undefined,
): void {
  if (end === first) return;
  const generation = Math.floor(first / SEQ_RANGE);
  assert.ok(end <= (generation + 1) * SEQ_RANGE);
  const ids = GENERATIONS[generation];
  if (ids === undefined) return;
  assert.ok(used !== undefined, "numbers of a damaged file are given out");
  for (const id of ids) {
    assert.ok(first - generation * SEQ_RANGE >= used.of(SPACE, id));
  }
}

class FolderInMemory {
  readonly path = "state";
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();

  pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  read(name: string, limit: number): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.files.get(name);
    assert.ok((bytes?.length ?? 0) <= limit);
    return bytes?.slice();
  }

  replace(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): void {
    for (const [name, bytes] of files) {
      assert.ok(!isSame(bytes, this.files.get(name)) || name === "sender-ids");
      this.files.set(name, bytes);
    }
  }

  map(name: string, bytes: Uint8Array<ArrayBuffer>) {
    this.files.set(name, bytes);
    return { words: new Uint32Array(bytes.buffer), release() {} };
  }

  claim(): boolean {
    return true;
  }

  disclaim(): void {}

  exclusively<T>(work: () => T): T {
    return work();
  }
}
