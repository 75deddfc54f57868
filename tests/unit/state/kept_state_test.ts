import assert from "node:assert/strict";
import { wordsAt } from "../../../ffi/process/shared_pages.ts";
import { StateFolder } from "../../../ffi/process/state_folder.ts";
import { sha256Text } from "../../../src/crypto/sha256.ts";
import { AcceptedMemory } from "../../../src/state/accepted_memory.ts";
import { KeptState } from "../../../src/state/kept_state.ts";
import { MortalLibc } from "../../fakes/mortal_libc.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const [MUX, KEYS, SENDER] = [3, 12345, 7];

async function withFolder(
  body: (open: () => StateFolder) => Promise<void>,
): Promise<void> {
  const path = Deno.makeTempDirSync();
  using mortal = new MortalLibc();
  try {
    await body(() => new StateFolder(mortal.libc, path));
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

function openState(folder: StateFolder, bootId = () => "1") {
  const logger = recordingLog();
  const options = { hash: sha256Text, bootId, logger, allowWrap: false };
  return { state: new KeptState(folder, options), lines: logger.lines };
}

function acceptedIn(state: KeptState): AcceptedMemory {
  const { accepted } = state;
  assert.ok(accepted !== undefined);
  return new AcceptedMemory(wordsAt(accepted));
}

Deno.test("where accepted numbers have no place a warning says so, and sender ids are kept all the same", () =>
  withFolder(async (open) => {
    const { state, lines } = openState(open(), () => {
      throw new Error("no id of this start");
    });
    assert.equal(state.accepted, undefined);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^WARNING: no id of this start \(--state-dir/);
    state.numbers.begin([[SENDER]]);
    assert.deepEqual([...state.numbers.taken()], [SENDER]);
    await state.close();
  }));

Deno.test("pages that were released are memory that no file has", () =>
  withFolder(async (open) => {
    const { state } = openState(open());
    const memory = acceptedIn(state);
    const place = memory.of(MUX, KEYS).open(SENDER, 500);
    await state.close();
    state.release();
    assert.equal(memory.words[place], 0);
    memory.words[place] = 600;
    const again = openState(open());
    const highest = acceptedIn(again.state).of(MUX, KEYS).recall();
    assert.deepEqual([...highest], [[SENDER, 500]]);
    await again.state.close();
  }));
