// What a guard is told: its setup, from the environment, and beats of a daemon.
import { strict as assert } from "node:assert";
import { GuardPatience } from "../../../src/daemon/guard_patience.ts";
import { BEAT, type GuardSetup } from "../../../src/daemon/guard_setup.ts";
import { readGuardSetup } from "../../../src/daemon/read_guard_setup.ts";
import { ReportError } from "../../../src/status/fields.ts";
import { threadBeat } from "../../../src/tunnel/plane.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const SETUP: GuardSetup = {
  device: "any0",
  addresses: [
    { bytes: [192, 0, 2, 1], length: 32 },
    { bytes: Array(16).fill(9), length: 128 },
  ],
  patience: 700,
  mainPatience: 5000,
  identity: { uid: 65_534, gid: 65_534 },
  hasScript: false,
  isConfined: true,
  log: {
    targets: [
      { kind: "stdout", level: 3 },
      { kind: "file", level: 4, path: "/log" },
      {
        ...{ kind: "syslog", level: 2, ident: "a", facility: "daemon" },
        isDefault: true,
      },
    ],
    format: "text",
  },
};

/** By the first byte, beats with the time between them, or a setup. */
const BEATS = 1;

export default function open(): Target {
  const encoder = new TextEncoder();
  return {
    seeds: [
      encoder.encode(`\0${JSON.stringify(SETUP)}`),
      encoder.encode(
        `\0${JSON.stringify({ ...SETUP, device: null, identity: null })}`,
      ),
      Uint8Array.of(BEATS, 5, 0, 5, 0, 30, 1, 35, 2, 36, 2, 255, 2, 1, 0),
      Uint8Array.of(BEATS, 5, 0, 40, 2, 8, 1, 5, 0, 35, 1, 90, 2, 250, 1),
    ],
    words: [
      ...["null", "-1", "1e999", "0.5", "4294967295", "4294967296", "256"],
      ...["[]", "{}", '"bytes":', '"uid":', '"length":', "33", "129", "true"],
      ...['"kind":', '"level":', '"stderr"', '"local7"', '"json"', "6"],
    ],
    maxBytes: 900,
    run(input) {
      const rest = input.subarray(1);
      if ((input[0] ?? 0) & BEATS) judge(new ByteReader(rest));
      else readSetup(new TextDecoder().decode(rest));
    },
  };
}

function readSetup(text: string): void {
  let setup: GuardSetup;
  try {
    setup = readGuardSetup(text);
  } catch (error) {
    return assert.ok(error instanceof ReportError, `untyped: ${error}`);
  }
  assert.deepEqual(readGuardSetup(JSON.stringify(setup)), setup);
  for (const { bytes, length } of setup.addresses) {
    assert.deepEqual([...Uint8Array.from(bytes)], bytes);
    assert.ok(bytes.length === 4 || bytes.length === 16);
    assert.ok(Number.isInteger(length) && length <= 8 * bytes.length);
  }
  for (const id of Object.values(setup.identity ?? {})) {
    assert.equal(id >>> 0, id);
  }
}

const STEP_MS = 20;
const THREADS = 4;

/** Time, and what is heard then, if anything is: otherwise it looks. */
function judge(bytes: ByteReader): void {
  let now = 1000;
  const { patience: short, mainPatience: long } = SETUP;
  const patience = new GuardPatience(SETUP, () => now);
  let main = -Infinity;
  const threads = new Map<number, number>();
  let isAwaited = false;
  while (!bytes.isAtEnd) {
    now += bytes.byte() * STEP_MS;
    const what = bytes.byte();
    const kind = what % 3;
    const thread = what % THREADS;
    if (kind === 0) [main, isAwaited] = [now, true];
    if (kind === 1) threads.set(thread, now);
    if (kind < 2) patience.heard(kind === 0 ? BEAT : threadBeat(thread));
    // Whoever has beaten and stops is told of in time.
    if (isAwaited) assert.ok(patience.left <= long);
    assert.ok(patience.left >= 0);
    if (kind < 2 || !patience.isOver()) continue;
    const isThreadGone = threads.values().some((at) => now - at >= short);
    const isMainGone = now - main >= (threads.size > 0 ? long : short);
    assert.ok(isMainGone || isThreadGone, "whoever carries beats");
    isAwaited = false;
    assert.equal(patience.left, Infinity, "told once");
  }
}
