import assert from "node:assert/strict";
import { createSatpCodec } from "../../../mod.ts";
import { hkdf } from "../../../src/crypto/hkdf.ts";
import type { KeptBytes } from "../../../src/daemon/chain_file.ts";
import { KeyRotation } from "../../../src/daemon/key_rotation.ts";
import { KeyChain } from "../../../src/satp/key_chain.ts";
import {
  formatChainFile,
  parseChainFile,
} from "../../../src/satp/key_chain_file.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import type {
  NumberRequest,
  NumberStore,
} from "../../../src/state/number_store.ts";
import { NumberSpaces } from "../../../src/tunnel/number_spaces.ts";
import { ConnectionCounter } from "../../../src/tunnel/counters.ts";
import { SenderKind } from "../../../src/tunnel/refused_samples.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const MUX = 3;
const INTERVAL = 60;
const FIRST = 1000;
const GRACE_MS = 15_000;

const link = (epoch: number, seed = 1) => ({
  interval: INTERVAL,
  epoch,
  key: new Uint8Array(32).fill(seed),
});

/** The key of an epoch, as the specification derives it. */
const keyOf = (epoch: number) =>
  new KeyChain(link(FIRST), hkdf).secrets(epoch, "aes-ctr-128").key.toHex();

/** A file in memory. */
class MemoryFile implements KeptBytes {
  readonly folder = 5;
  bytes = formatChainFile(link(FIRST));
  fails = false;
  /** Another program is at it. */
  isBusy = false;
  owner = 0;
  isOpen = true;
  writes = 0;
  readonly taken = new Set<number>();

  read() {
    return Uint8Array.from(this.bytes);
  }

  giveTo({ uid }: { readonly uid: number }) {
    this.owner = uid;
  }

  claim(first: number) {
    const isFree = !this.taken.has(first);
    this.taken.add(first);
    return isFree;
  }

  replace(change: Parameters<KeptBytes["replace"]>[0]) {
    if (this.isBusy) return false;
    const after = change(this.read());
    if (after === undefined) return true;
    if (this.fails) throw new Error("Cannot replace 'c': ENOSPC");
    this.bytes = Uint8Array.from(after);
    this.writes++;
    return true;
  }

  get epoch() {
    return parseChainFile(this.bytes).epoch;
  }

  [Symbol.dispose]() {
    this.isOpen = false;
  }
}

/** Numbers in memory, by their space. */
class MemoryNumbers implements NumberStore {
  readonly spaces = new Set<string>();
  reservations = 0;

  firstUnused() {
    return 0;
  }

  reserve(requests: readonly NumberRequest[]) {
    this.reservations++;
    return requests.map(({ space, from, count }) => {
      this.spaces.add(space);
      return { first: from, end: from + count };
    });
  }

  settle() {
    return true;
  }

  forget(spaces: readonly string[]) {
    for (const space of spaces) this.spaces.delete(space);
  }
}

function setUp({ at = 10_000 } = {}) {
  const numbers = new MemoryNumbers();
  const time = new ManualClock();
  const file = new MemoryFile();
  const logger = recordingLog();
  const table = new ConnectionTable(
    ConnectionTable.allocate(),
    new NumberSpaces({ store: numbers }),
  );
  const calls: string[] = [];
  const origin = { ms: FIRST * INTERVAL * 1000 + at };
  const rotation = new KeyRotation("c", {
    authAlgo: "sha1",
    cipher: "aes-ctr-128",
    kdPrf: "aes-ctr-128",
    tagLength: 10,
    mux: MUX,
    role: "left",
  }, {
    ...{ table, logger, identity: { uid: 7, gid: 8 } },
    prepare: (mux) => Promise.resolve(void calls.push(`prepare ${mux}`)),
    dropRetired: () => calls.push("drop"),
    moved: (mux) => calls.push(`moved ${mux}`),
  }, {
    every: time.every,
    elapsed: time.now,
    now: () => origin.ms + time.now(),
    openKeptFile: () => file,
    random: (words) => void crypto.getRandomValues(words),
  });
  const stop = new AbortController();
  const begin = () => {
    rotation.start();
    table.put(MUX, {
      role: "left",
      secrets: rotation.secrets(),
      windowSize: 64,
    }, 0);
    return rotation.run(stop.signal);
  };
  const key = () => table.keys(MUX).secrets.key.toHex();
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) await time.pass(1000);
  };
  const hear = (name = table.sealing(MUX) ?? 0) =>
    table.noteOpened(MUX, name, origin.ms + time.now());
  /** The epochs whose keys open, from the first one counted. */
  const opens = () =>
    table.held(MUX).sets.map(({ secrets }) => secrets.key.toHex())
      .map((key) => [0, 1, 2, 3, 4].find((k) => keyOf(FIRST + k) === key))
      .toSorted();
  const end = () => stop.abort();
  return {
    ...{ rotation, file, logger, table, numbers, calls, time, origin },
    ...{ begin, key, pass, hear, opens, end },
  };
}

Deno.test("a connection has the key of each epoch within a second", async () => {
  const { begin, key, pass, calls, end } = setUp();
  const over = begin();
  assert.equal(key(), keyOf(FIRST));
  await pass(49);
  assert.equal(key(), keyOf(FIRST));
  assert.doesNotMatch(calls.join(), /moved/);
  await pass(2);
  assert.equal(key(), keyOf(FIRST + 1));
  assert.deepEqual(calls.slice(-3), ["drop", `prepare ${MUX}`, `moved ${MUX}`]);
  await pass(120);
  assert.equal(key(), keyOf(FIRST + 3));
  assert.equal(calls.filter((call) => call === `moved ${MUX}`).length, 3);
  end();
  await over;
});

Deno.test("numbers are reserved before an epoch begins, and kept until it is erased", async () => {
  const { begin, pass, hear, table, numbers, file, end } = setUp();
  const over = begin();
  table.keepNumbersAhead();
  await pass(40);
  const before = numbers.reservations;
  assert.equal(before, 2);
  await pass(11);
  assert.equal(numbers.reservations, before);
  const { epoch } = table.keys(MUX);
  assert.equal(table.reserve(MUX, epoch, 1), 0, "without waiting for a disk");
  for (let k = 0; k < 5; k++) {
    await pass(60);
    if (k === 2) assert.equal(numbers.spaces.size, 5, "nothing was heard");
    if (k >= 2) hear();
  }
  await pass(40);
  assert.equal(file.epoch, FIRST + 6);
  assert.ok(numbers.spaces.size <= 3);
  end();
  await over;
});

Deno.test("numbers of epochs in which a process before has sent go with them", async () => {
  const { begin, pass, hear, numbers, table, origin, end } = setUp();
  const secrets = (epoch: number) =>
    new KeyChain(link(FIRST), hkdf).secrets(epoch, "aes-ctr-128");
  const former = [0, 1, 2].map((k) =>
    table.numbersName(MUX, { role: "left", secrets: secrets(FIRST + k) })
  );
  for (const space of former) numbers.spaces.add(space);
  origin.ms += 3 * INTERVAL * 1000;
  const over = begin();
  await pass(2);
  hear();
  await pass(40);
  assert.deepEqual(former.filter((space) => numbers.spaces.has(space)), []);
  end();
  await over;
});

Deno.test("around the change of an epoch the keys of both open", async () => {
  const { begin, pass, hear, opens, end } = setUp();
  const over = begin();
  await pass(1);
  hear();
  await pass(33);
  assert.deepEqual(opens(), [0]);
  await pass(2);
  assert.deepEqual(opens(), [0, 1], "the next from the grace before on");
  await pass(15);
  assert.deepEqual(opens(), [0, 1]);
  hear();
  await pass(13);
  assert.deepEqual(opens(), [0, 1]);
  await pass(4);
  assert.deepEqual(opens(), [1], "the one before until the grace after");
  end();
  await over;
});

Deno.test("keys that nobody was heard with leave for those in time", async () => {
  const { begin, pass, opens, end } = setUp();
  const over = begin();
  await pass(60 * 3 + 30);
  assert.deepEqual(opens(), [3]);
  await pass(8);
  assert.deepEqual(opens(), [3, 4]);
  end();
  await over;
});

Deno.test("the file moves on when an epoch is confirmed and its grace is over", async () => {
  const { begin, pass, hear, file, end } = setUp();
  const over = begin();
  await pass(100);
  assert.equal(file.epoch, FIRST, "nobody was heard");
  hear();
  await pass(1);
  await pass(GRACE_MS / 1000 - 1);
  assert.equal(file.epoch, FIRST);
  await pass(1);
  assert.equal(file.epoch, FIRST + 1);
  const found = parseChainFile(file.bytes).key.toHex();
  const expected = new KeyChain(link(FIRST), hkdf).link(FIRST + 1).key.toHex();
  assert.equal(found, expected);
  end();
  await over;
});

Deno.test("what is opened with the keys before confirms no new epoch", async () => {
  const { begin, pass, hear, rotation, table, end } = setUp({ at: 50_000 });
  const over = begin();
  await pass(1);
  const before = table.sealing(MUX);
  await pass(10);
  hear(before);
  await pass(1);
  assert.match(rotation.report().join(), /epoch 1001, the peer was .* in 1000/);
  hear();
  await pass(1);
  assert.match(rotation.report().join(), /the peer was heard in 1001/);
  end();
  await over;
});

Deno.test("a peer that is ahead is followed as soon as it is heard", async () => {
  const { begin, pass, hear, key, table, end } = setUp({ at: 50_000 });
  const over = begin();
  await pass(1);
  const next = table.held(MUX).sets.find(({ name }) =>
    name !== table.sealing(MUX)
  );
  hear(next?.name);
  await pass(1);
  assert.equal(key(), keyOf(FIRST + 1));
  end();
  await over;
});

Deno.test("a clock that is far behind heals, and it is said whose seems wrong", async () => {
  const { begin, pass, hear, key, logger, table, rotation, end } = setUp();
  const over = begin();
  await pass(1);
  hear();
  await pass(1);
  const secrets = new KeyChain(link(FIRST), hkdf).secrets(
    FIRST + 5,
    "aes-ctr-128",
  );
  const peer = await createSatpCodec({ role: "right", mux: MUX, ...secrets });
  const datagram = await peer.seal({
    ...{ seq: 0, payloadType: 0x0800, payload: new Uint8Array(40) },
  });
  for (let second = 0; second < 8; second++) {
    const counters = table.counters.of(MUX);
    counters[ConnectionCounter.WRONG_TAG] = second + 1;
    if (table.asked(MUX) !== 0) {
      rotation.refused({ mux: MUX, kind: SenderKind.STRANGER, datagram });
    }
    await pass(1);
  }
  assert.equal(key(), keyOf(FIRST + 5));
  const [line] = logger.lines.filter((line) => /clock/.test(line));
  assert.match(
    line ?? "",
    /^WARNING: the clock of the peer is ahead of that of this host by 28\d s or more: that of the peer seems wrong$/,
  );
  assert.equal(rotation.clockFault, undefined, "this one is right");
  end();
  await over;
});

Deno.test("a clock of this host that was set keeps it from being fit, and that of the peer does not", async () => {
  const { begin, pass, hear, origin, rotation, table, end } = setUp();
  const over = begin();
  await pass(1);
  hear();
  await pass(1);
  const before = table.sealing(MUX);
  assert.equal(rotation.clockFault, undefined);
  const set = 5 * INTERVAL * 1000;
  origin.ms += set;
  await pass(1);
  hear(before);
  await pass(1);
  assert.match(
    rotation.clockFault ?? "",
    /^the clock of this host is ahead of that of the peer by \d+ s or more$/,
  );
  origin.ms -= set;
  await pass(1);
  hear(before);
  await pass(1);
  assert.equal(rotation.clockFault, undefined);
  end();
  await over;
});

Deno.test("a file that is another chain by now is left alone", async () => {
  const { begin, pass, hear, file, logger, end } = setUp();
  const over = begin();
  await pass(2);
  const other = formatChainFile(link(FIRST, 9));
  file.bytes = Uint8Array.from(other);
  await pass(60);
  hear();
  await pass(100);
  assert.deepEqual(file.bytes, other);
  const warnings = logger.lines.filter((line) => /another one/.test(line));
  assert.deepEqual(warnings, [
    "WARNING: the key chain in 'c' (--key-chain) is another one by now, " +
    "which is used after a restart",
  ]);
  end();
  await over;
});

Deno.test("a file that another program has moved on is not taken back", async () => {
  const { begin, pass, hear, file, end } = setUp();
  const over = begin();
  await pass(52);
  const ahead = formatChainFile(
    new KeyChain(link(FIRST), hkdf).link(FIRST + 2),
  );
  file.bytes = Uint8Array.from(ahead);
  hear();
  await pass(30);
  assert.deepEqual(file.bytes, ahead);
  end();
  await over;
});

Deno.test("a file that cannot be replaced is said at once, and tried again", async () => {
  const { begin, pass, hear, file, logger, end } = setUp();
  file.fails = true;
  const over = begin();
  const said = () => logger.lines.filter((line) => line.startsWith("ERROR"));
  assert.equal(said().length, 1);
  assert.match(said()[0] ?? "", /ENOSPC.*\(--username\)/);
  await pass(60);
  hear();
  await pass(20);
  assert.equal(said().length, 2);
  file.fails = false;
  await pass(61);
  assert.ok(file.epoch > FIRST);
  end();
  await over;
});

Deno.test("a file that another program replaces is no error, and is looked at again", async () => {
  const { begin, pass, hear, file, logger, end } = setUp();
  file.isBusy = true;
  const over = begin();
  await pass(60);
  hear();
  await pass(20);
  assert.equal(file.epoch, FIRST);
  file.isBusy = false;
  await pass(1);
  assert.ok(file.epoch > FIRST);
  assert.doesNotMatch(logger.lines.join(), /ERROR/);
  end();
  await over;
});

Deno.test("sender ids that another program has are not used", () => {
  const { rotation, file } = setUp();
  rotation.start();
  assert.equal(file.owner, 7, "of whom the daemon becomes");
  assert.deepEqual(rotation.claim([1, 2]), [1, 2]);
  assert.deepEqual(rotation.claim([1, 2, 3]), [3]);
  assert.throws(() => rotation.claim([2, 3]), {
    message: "Cannot use the key chain in 'c' (--key-chain) as left with " +
      "mux 3 and sender id 2, 3: another program does; give this one " +
      "another --sender-id",
  });
  rotation.close();
  assert.ok(!file.isOpen);
});

Deno.test("a chain that is years behind the clock is refused", () => {
  const { rotation, origin } = setUp();
  origin.ms += 131_073 * INTERVAL * 1000;
  assert.throws(() => rotation.start(), {
    message: "Cannot use the key chain in 'c' (--key-chain): it is 131073 " +
      "epochs behind the clock of this host: set the clock, or make a new " +
      "key chain",
  });
});

Deno.test("a file that is wrong is refused by its line", () => {
  const { rotation, file } = setUp();
  file.bytes = new TextEncoder().encode("anytun-keychain 1\ninterval 5\n");
  assert.throws(() => rotation.start(), /\(--key-chain\): line 2: interval/);
});

Deno.test("keys rank as their epochs do, also those that a start opens for what is late", async () => {
  const { table, begin, pass, end } = setUp({ at: INTERVAL * 1000 + 5000 });
  const over = begin();
  const order = () =>
    table.held(MUX).sets.toSorted((a, b) => a.rank - b.rank)
      .map(({ secrets }) => secrets.key.toHex());
  await pass(2);
  assert.deepEqual(order(), [keyOf(FIRST), keyOf(FIRST + 1)]);
  await pass(40);
  assert.deepEqual(order(), [keyOf(FIRST + 1), keyOf(FIRST + 2)]);
  end();
  await over;
});
