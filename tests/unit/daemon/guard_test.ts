import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import type { AnycastAddress } from "../../../ffi/tuntap/anycast_device.ts";
import { removeAll } from "../../../src/daemon/anycast_removal.ts";
import { GuardPatience } from "../../../src/daemon/guard_patience.ts";
import { BEAT, type GuardSetup } from "../../../src/daemon/guard_setup.ts";
import { readGuardSetup } from "../../../src/daemon/read_guard_setup.ts";
import { threadBeat, threadOf } from "../../../src/tunnel/plane.ts";

/** A guard that hears what it is given, in steps of 100 ms. */
function guard() {
  let now = 1000;
  const patience = new GuardPatience(
    { patience: 700, mainPatience: 5000 },
    () => now,
  );
  /** @returns After how many ms it withdraws, if it does */
  const hear = (words: readonly string[], ms: number): number | undefined => {
    for (let passed = 100; passed <= ms; passed += 100) {
      now += 100;
      for (const word of words) patience.heard(word);
      if (patience.left === 0 && patience.isOver()) return passed;
    }
    return undefined;
  };
  return { hear, patience, sleep: (ms: number) => void (now += ms) };
}

const [FIRST, SECOND] = [threadBeat(0), threadBeat(1)];
const BOTH = [BEAT, FIRST];

Deno.test("a guard waits for nothing before it has heard a beat", () => {
  assert.equal(guard().patience.left, Infinity);
});

Deno.test("a guard lets a main thread be busy for seconds while threads carry, and not for longer", () => {
  const { hear } = guard();
  assert.equal(hear(BOTH, 2000), undefined);
  assert.equal(hear([FIRST], 4900), undefined);
  assert.equal(hear(BOTH, 2000), undefined);
  assert.equal(hear([FIRST], 60_000), 5000);
  assert.equal(hear([FIRST], 60_000), undefined, "told once");
  assert.equal(hear(BOTH, 2000), undefined, "it is back");
});

Deno.test("a guard notices within a second that all of a daemon stands still, or what carries", () => {
  const { hear } = guard();
  for (const words of [[], [BEAT]]) {
    assert.equal(hear(BOTH, 2000), undefined);
    assert.equal(hear(words, 60_000), 700);
  }
  // A main thread that goes on may have announced itself anew.
  assert.equal(hear([BEAT], 60_000), 800, "0.7 s after its first beat");
  assert.equal(hear(BOTH, 2000), undefined);
});

Deno.test("a guard notices within a second that one of several threads stands still", () => {
  const all = [...BOTH, SECOND];
  for (const one of [FIRST, SECOND]) {
    const { hear } = guard();
    const others = all.filter((word) => word !== one);
    assert.equal(hear(all, 2000), undefined);
    assert.equal(hear(others, 60_000), 700, one);
    // Whoever goes on says so again and again, and it stays withdrawn.
    assert.equal(hear(others, 60_000), 800, "0.7 s after that");
    assert.equal(hear(all, 2000), undefined, "it is back");
  }
});

Deno.test("a guard takes nothing for a thread that no thread says", () => {
  assert.equal(threadOf(threadBeat(12)), 12);
  const { hear } = guard();
  for (const word of ["t", "t-1", "t1.5", "t12345", "x", "", "withdrawn"]) {
    assert.equal(threadOf(word), undefined, word);
    assert.equal(hear([BEAT, word], 200), undefined);
  }
  assert.equal(hear(["t"], 60_000), 700, "the main thread carries by itself");
});

Deno.test("a main thread that carries by itself has no more time than a thread", () => {
  const { hear } = guard();
  assert.equal(hear([BEAT], 2000), undefined);
  assert.equal(hear([], 60_000), 700);
  assert.equal(hear([], 60_000), undefined);
});

Deno.test("a main thread that beats before the first thread does has its seconds from then on", () => {
  const { hear } = guard();
  assert.equal(hear([BEAT], 500), undefined);
  assert.equal(hear([FIRST], 60_000), 5000);
});

Deno.test("a guard that was stopped itself says nothing of the daemon", () => {
  const { hear, patience, sleep } = guard();
  hear(BOTH, 1000);
  sleep(60_000);
  assert.equal(patience.left, 0);
  assert.equal(patience.isOver(), false);
  assert.equal(hear(BOTH, 2000), undefined);
  sleep(60_000);
  assert.equal(patience.isOver(), false);
  assert.equal(hear([], 60_000), 300);
});

Deno.test("one address that the kernel keeps does not keep the others", () => {
  const removed: number[] = [];
  const device = {
    remove({ length }: AnycastAddress) {
      if (length === 1) {
        throw new SystemError("remove it", "send", Errno.EPERM);
      }
      removed.push(length);
      return true;
    },
  };
  const addresses = [1, 2, 3].map((length) => {
    return { bytes: new Uint8Array(4), length };
  });
  assert.match(removeAll(device, addresses) ?? "", /remove it.*EPERM/);
  assert.deepEqual(removed, [2, 3]);
  assert.equal(removeAll(device, addresses.slice(1)), undefined);
});

const SETUP: GuardSetup = {
  device: "any0",
  addresses: [{ bytes: [192, 0, 2, 1], length: 32 }],
  patience: 700,
  mainPatience: 5000,
  identity: { uid: 65_534, gid: 65_534 },
  hasScript: false,
  isConfined: true,
  log: {
    targets: [
      { kind: "stderr", level: 3 },
      { kind: "file", level: 2, path: "/log" },
      ...[{ kind: "syslog", level: 2, isDefault: true } as const]
        .map((one) => ({ ...one, ident: "vpn", facility: "local1" } as const)),
    ],
    format: "json",
  },
};

Deno.test("a guard reads what its daemon says, and refuses anything else", () => {
  for (const setup of [SETUP, { ...SETUP, device: null, identity: null }]) {
    assert.deepEqual(readGuardSetup(JSON.stringify(setup)), setup);
  }
  const { isConfined: _, ...less } = SETUP;
  const address = (bytes: readonly number[], length: number) => {
    return { ...SETUP, addresses: [{ bytes, length }] };
  };
  const target = (target: unknown) => {
    return { ...SETUP, log: { targets: [target], format: "text" } };
  };
  const user = (uid: number) => ({ ...SETUP, identity: { uid, gid: 1 } });
  const wrong = [
    ...[less, user(-1), user(0.5), user(2 ** 32), address([], 0)],
    ...[address([192, 0, 2, 256], 32), address([192, 0, 2, 0.5], 32)],
    ...[address([192, 0, 2, 1], 33), address([192, 0, 2, 1], 0.5)],
    ...[target({ kind: "tape", level: 1 }), target({ kind: "file", level: 1 })],
    ...[target({ kind: "stdout", level: 6 }), target({ kind: "stdout" })],
    target({ kind: "syslog", level: 1, ident: "a", facility: "toString" }),
    { ...SETUP, log: { targets: [], format: "xml" } },
  ].map((setup) => JSON.stringify(setup));
  for (const text of ["", "1", "{", ...wrong]) {
    assert.throws(() => readGuardSetup(text), { name: "ReportError" }, text);
  }
});
