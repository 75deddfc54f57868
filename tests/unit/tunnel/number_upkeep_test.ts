import assert from "node:assert/strict";
import { StateFolder } from "../../../ffi/process/state_folder.ts";
import { sha256Text as hash } from "../../../src/crypto/sha256.ts";
import { KeptState } from "../../../src/state/kept_state.ts";
import { BLOCK } from "../../../src/state/number_store.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { NumberSpaces } from "../../../src/tunnel/number_spaces.ts";
import { NumberUpkeep } from "../../../src/tunnel/number_upkeep.ts";
import { SPENT, STALE } from "../../../src/tunnel/numbers.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { MortalLibc } from "../../fakes/mortal_libc.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const [MUX, SENDER] = [3, 7];

const KEYS = {
  role: "left",
  secrets: { key: new Uint8Array(16), salt: new Uint8Array(14) },
  windowSize: 0,
} as const;

/** One run of a tunnel over a folder. */
class Life {
  readonly clock = new ManualClock();
  readonly table: ConnectionTable;
  readonly #mortal = new MortalLibc();
  readonly #upkeep: NumberUpkeep;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  constructor(path: string) {
    const folder = new StateFolder(this.#mortal.libc, path);
    const logger = recordingLog();
    const options = { hash, bootId: () => "1", logger, allowWrap: false };
    const state = new KeptState(folder, options);
    state.numbers.begin([[SENDER]]);
    const spaces = new NumberSpaces({ hash, store: state.numbers });
    this.table = new ConnectionTable(ConnectionTable.allocate(), spaces);
    this.table.put(MUX, KEYS, 0);
    this.#upkeep = new NumberUpkeep(this.table, state, this.clock);
    this.#running = this.#upkeep.run(this.#ending.signal);
  }

  take(count: number): number {
    return this.table.reserve(MUX, this.table.epoch(MUX), count);
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    await this.#upkeep.close();
    this.#mortal[Symbol.dispose]();
  }
}

Deno.test("numbers are kept ahead of their use while it runs, and exactly when it is closed", async () => {
  const path = Deno.makeTempDirSync();
  try {
    const first = new Life(path);
    assert.equal(first.take(BLOCK), 0);
    assert.equal(first.take(1), SPENT);
    await first.clock.pass(100);
    assert.equal(first.take(2), BLOCK);
    await first.end();
    assert.equal(first.take(1), STALE);
    const second = new Life(path);
    assert.equal(second.take(1), BLOCK + 2);
    await second.end();
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});
