import assert from "node:assert/strict";
import { StateFolder } from "../../ffi/process/state_folder.ts";
import { sha256Text as hash } from "../../src/crypto/sha256.ts";
import { SEQ_RANGE } from "../../src/satp/header.ts";
import { type BootId, bootIdOf } from "../../src/state/boot_id.ts";
import { NumberKeeper } from "../../src/state/number_keeper.ts";
import { BLOCK } from "../../src/state/number_store.ts";
import { TextSeal } from "../../src/state/sealed_text.ts";
import { EVERY_SPACE, UsedNumbers } from "../../src/state/used_numbers.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
} from "../../src/tunnel/connection_table.ts";
import { NumberSpaces } from "../../src/tunnel/number_spaces.ts";
import { SenderIds } from "../../src/tunnel/numbers.ts";
import { idsByGeneration } from "../../src/tunnel/sender_ids.ts";
import { MortalLibc } from "./mortal_libc.ts";
import { recordingLog } from "./recording_log.ts";

export const MUX = 3;
export const BOOT = bootIdOf("b007");

export function keysOf(key = 1): ConnectionKeys {
  const secrets = {
    key: new Uint8Array(16).fill(key),
    salt: new Uint8Array(14).fill(key),
  };
  new DataView(secrets.key.buffer).setUint32(12, key);
  return { role: "left", secrets, windowSize: 0 };
}

export interface LifeOptions {
  readonly ids?: readonly number[];
  readonly senders?: number;
  readonly allowWrap?: boolean;
  readonly bootId?: BootId;
}

/** One run of a daemon over a folder. */
export class Life {
  readonly mortal = new MortalLibc();
  readonly lines: readonly string[];
  readonly keeper: NumberKeeper;
  readonly table: ConnectionTable;
  readonly #folder: StateFolder;
  readonly #limit: number;

  constructor(
    path: string,
    options: LifeOptions = {},
    before: (mortal: MortalLibc) => void = () => {},
  ) {
    const { ids = [7], senders = 1, allowWrap = false, bootId = BOOT } =
      options;
    const logger = recordingLog();
    this.lines = logger.lines;
    this.#folder = new StateFolder(this.mortal.libc, path);
    const folder = this.#folder;
    this.keeper = new NumberKeeper({
      ...{ folder, hash, logger, allowWrap, bootId },
    });
    const spaces = new NumberSpaces({ hash, store: this.keeper, allowWrap });
    this.table = new ConnectionTable(ConnectionTable.allocate(), spaces);
    const generations = idsByGeneration(ids, senders);
    const first = generations.map(([id = 0]) => id);
    this.#limit = new SenderIds(first, allowWrap).limit;
    before(this.mortal);
    this.keeper.begin(generations);
  }

  start(key = 1, firstSeq = 0): this {
    this.table.put(MUX, keysOf(key), firstSeq);
    this.table.keepNumbersAhead();
    return this;
  }

  take(count = 1, mux = MUX): number {
    return this.table.reserve(mux, this.table.epoch(mux), count, this.#limit);
  }

  end(): void {
    this.table.settleNumbers();
    this.kill();
  }

  kill(): void {
    this.#folder.close();
    this.keeper.release();
    this.mortal[Symbol.dispose]();
  }
}

/** How many spaces the files have numbers of. */
export function keptSpaces(path: string): number {
  const files = [...Deno.readDirSync(path)].map(({ name }) => name)
    .filter((name) => /^numbers-[0-9a-f]{2}$/.test(name));
  const texts = files.map((name) => Deno.readTextFileSync(`${path}/${name}`));
  return texts.join("").match(/^space (?!every)/gm)?.length ?? 0;
}

/** As after crashes of the system, or damage. */
export function useOfEvery(path: string, id: number, next: number): void {
  const used = new UsedNumbers();
  used.set(EVERY_SPACE, id, next);
  const file = used.format(new TextSeal(hash));
  Deno.writeFileSync(`${path}/numbers-all`, file);
}

export function folderTest(name: string, body: (path: string) => void): void {
  Deno.test(name, () => {
    const path = Deno.makeTempDirSync();
    try {
      body(path);
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  });
}

/** What was used of each sender id: ranges that must not overlap. */
export class Used {
  readonly #ranges: [number, number][] = [];

  add(first: number, end: number): void {
    for (const [from, to] of this.#ranges) {
      assert.ok(end <= from || first >= to, `${first} to ${end} used twice`);
    }
    this.#ranges.push([first, end]);
  }
}

/** Whoever sends with numbers of a keeper, as short as can be. */
export class Sender {
  readonly #mortal: MortalLibc;
  readonly #folder: StateFolder;
  readonly #keeper: NumberKeeper;
  readonly #held = new Map<string, { next: number; end: number }>();

  readonly #ids: readonly number[];

  constructor(
    mortal: MortalLibc,
    path: string,
    ids: readonly number[],
    bootId = BOOT,
  ) {
    this.#mortal = mortal;
    this.#ids = ids;
    const logger = recordingLog();
    this.#folder = new StateFolder(this.#mortal.libc, path);
    const folder = this.#folder;
    const options = { folder, hash, logger, allowWrap: false, bootId };
    this.#keeper = new NumberKeeper(options);
  }

  begin(): this {
    this.#keeper.begin(this.#ids.map((id) => [id]));
    return this;
  }

  failEvery(steps: number): this {
    this.#mortal.fails = (step) => steps > 0 && step % steps === 0;
    return this;
  }

  killIn(steps: number): void {
    this.#mortal.killAt = this.#mortal.steps + steps;
  }

  /** @returns The first number, if there were any */
  send(
    space: string,
    count: number,
    used: Map<string, Used>,
  ): number | undefined {
    const held = this.#held.get(space);
    if (held === undefined || held.end - held.next < count) {
      const from = held?.end ?? this.#keeper.firstUnused(space);
      const request = { space, from, count: BLOCK };
      const [range] = this.#keeper.reserve([request]);
      if (range === undefined) return undefined;
      const next = range.first > from ? range.first : held?.next ?? from;
      this.#held.set(space, { next, end: range.end });
    }
    const { next = 0, end = 0 } = this.#held.get(space) ?? {};
    if (end - next < count) return undefined;
    this.#held.set(space, { next: next + count, end });
    const name = `${space} ${this.#ids[Math.floor(next / SEQ_RANGE)]}`;
    const ofId = used.get(name) ?? new Used();
    used.set(name, ofId);
    ofId.add(next % SEQ_RANGE, next % SEQ_RANGE + count);
    return next;
  }

  settle(spaces: readonly string[]): void {
    const unused = spaces.flatMap((space) => {
      const held = this.#held.get(space);
      return held === undefined ? [] : [{ space, ...held }];
    });
    const isKept = this.#keeper.settle(unused);
    for (const { space, next } of unused) {
      if (isKept) this.#held.delete(space);
      else this.#held.set(space, { next, end: next });
    }
  }

  kill(): void {
    this.#mortal.killAt = Infinity;
    this.#mortal.fails = () => false;
    this.#folder.close();
    this.#keeper.release();
  }
}
