import assert from "node:assert/strict";
import { Peer, type PeerOptions } from "../../../src/daemon/peer.ts";
import { OwnKeys } from "../../../src/daemon/own_keys.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { formatEndpoint } from "../../../src/net/endpoint.ts";
import { Resolver } from "../../../src/net/resolver.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import type { GivenSecrets } from "../../../src/satp/secrets.ts";
import { LeavingKeys } from "../../../src/tunnel/leaving_keys.ts";
import { readEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { starting } from "../../fakes/services.ts";

const MUX = 3;
const NEVER = new AbortController().signal;

const SECRETS = { passphrase: "x" };

/** A peer whose name stands for what the test says. */
function setUp(change: Partial<PeerOptions>) {
  const logger = recordingLog();
  const clock = new ManualClock();
  const names = new Map<string, string>();
  const resolver = new Resolver(
    (host) => {
      const address = parseAddress(names.get(host) ?? "");
      return address === undefined
        ? Promise.reject(new Error("ENOTFOUND"))
        : Promise.resolve([address]);
    },
    (_ms, signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
    logger,
  );
  const told: number[] = [];
  const prepared: number[] = [];
  const expected: string[] = [];
  const secrets = {
    key: new Uint8Array(16).fill(1),
    salt: new Uint8Array(14).fill(2),
  };
  const table = new ConnectionTable(ConnectionTable.allocate());
  const drops = { count: 0 };
  const dropRetired = () => void drops.count++;
  const options: PeerOptions = {
    mux: MUX,
    windowSize: 0,
    chroot: undefined,
    remoteHost: "peer.test",
    remotePort: 4444,
    family: "any",
    silentAfter: 30,
    secrets: SECRETS,
    ...change,
  };
  const prepare = (mux: number) => Promise.resolve(void prepared.push(mux));
  const moved = (mux: number) => void told.push(mux);
  const search = { isUnanswered: false, look: () => {} };
  const peer = new Peer(options, {
    resolver,
    interfaceIndex: (name) => name === "eth0" ? 2 : undefined,
    interfaceName: (index) => index === 2 ? "eth0" : undefined,
    table,
    secrets: options.secrets && (() => secrets),
    secretsOf: ({ secrets }) => Promise.resolve(secrets && keyOf(secrets)),
    keys: new OwnKeys({ mux: MUX, role: "left" }, {
      ...{ table, prepare, moved, logger },
      ...{ delay: clock.delay, elapsed: clock.now },
      leaving: new LeavingKeys({ table, delay: clock.delay, dropRetired }),
    }),
    ...{ prepare, moved, logger },
    expected: (mux, remote) =>
      expected.push(`${mux} ${remote} ${table.exists(mux)}`),
    isUnanswered: () => search.isUnanswered,
    isKeptAlive: () => false,
    elapsed: clock.now,
    every(_ms, look) {
      search.look = look;
      return Promise.resolve();
    },
  });
  let present = options;
  /** As after a HUP, with these options in place of others. */
  const reload = async (change?: Partial<PeerOptions>) => {
    if (change !== undefined) {
      present = { ...present, ...change };
      await peer.check(present);
    }
    await peer.reload(present);
  };
  const endpoint = () => {
    const words = endpointWords();
    table.endpoints.copy(MUX, words, 0);
    const found = readEndpoint(words, 0);
    return found && formatEndpoint(found);
  };
  const rest = {
    search,
    told,
    expected,
    prepared,
    logger,
    secrets,
    endpoint,
    clock,
    drops,
  };
  return { peer, names, table, reload, ...rest };
}

/** A key that is all one byte. */
function keyOf({ key: [byte = 0] = new Uint8Array(1) }: GivenSecrets) {
  return {
    key: new Uint8Array(16).fill(byte),
    salt: new Uint8Array(14).fill(2),
  };
}

/** The bytes that stand for keys, the sealing one first. */
function keysIn(table: ConnectionTable): (number | undefined)[] {
  const { sets, sealing } = table.held(MUX);
  return sets.toSorted((a) => a.name === sealing ? -1 : 1)
    .map(({ secrets: { key } }) => key[0]);
}

Deno.test("a connection without a peer's name waits for its endpoint", async () => {
  const { peer, table, prepared, endpoint } = setUp({
    remoteHost: undefined,
  });
  await peer.run(NEVER);
  assert.ok(table.exists(MUX));
  assert.deepEqual(prepared, [MUX]);
  assert.equal(endpoint(), undefined);
});

Deno.test("where the peer is looked for is known before the connection can hear it", async () => {
  const named = setUp({ remoteHost: "192.0.2.1" });
  await named.peer.run(NEVER);
  assert.deepEqual(named.expected, [`${MUX} 192.0.2.1:4444 false`]);
  const waiting = setUp({ remoteHost: undefined });
  await waiting.peer.run(NEVER);
  assert.deepEqual(waiting.expected, [`${MUX} undefined false`]);
});

Deno.test("run() wipes the secrets, of which the table has a copy", async () => {
  const { peer, table, secrets } = setUp({ remoteHost: "192.0.2.1" });
  await peer.run(NEVER);
  assert.ok(secrets.key.every((byte) => byte === 0));
  assert.ok(secrets.salt.every((byte) => byte === 0));
  const { key, salt } = table.keys(MUX).secrets;
  assert.ok(key.every((byte) => byte === 1));
  assert.ok(salt.every((byte) => byte === 2));
});

Deno.test("there is no connection before the name is resolved", async () => {
  const { peer, table, logger } = setUp({});
  const stop = new AbortController();
  const connected = peer.run(stop.signal);
  await Promise.resolve();
  assert.ok(!table.exists(MUX));
  stop.abort();
  await connected;
  assert.ok(!table.exists(MUX), "and none after the end");
  assert.doesNotMatch(logger.lines.join(), /added connection/);
});

Deno.test("start() resolves ahead, so that run() need not", async () => {
  const { peer, names, endpoint } = setUp({ chroot: "/jail" });
  names.set("peer.test", "192.0.2.1");
  const waits: string[] = [];
  await peer.start(starting((what) => waits.push(what)));
  assert.deepEqual(waits, ["an address of 'peer.test' (--remote-host)"]);
  names.clear();
  await peer.run(NEVER);
  assert.equal(endpoint(), "192.0.2.1:4444");
});

Deno.test("start() outside of a jail asks for nothing", async () => {
  const { peer, logger } = setUp({});
  await peer.start(starting(() => assert.fail("nothing is waited for")));
  assert.deepEqual(logger.lines, []);
});

Deno.test("start() says where a name is looked for next", async () => {
  const { peer, logger } = setUp({ chroot: "/jail" });
  await peer.start(starting());
  assert.deepEqual(logger.lines, [
    "WARNING: Cannot resolve 'peer.test': ENOTFOUND (--remote-host): trying " +
    "again inside the jail, with its etc/resolv.conf and etc/hosts",
  ]);
});

Deno.test("reload() follows a name to its new address", async () => {
  const { peer, names, reload, endpoint, logger } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.run(NEVER);
  names.set("peer.test", "192.0.2.2");
  await reload();
  assert.equal(endpoint(), "192.0.2.2:4444");
  assert.match(
    logger.lines.join(),
    /NOTICE: remote host peer\.test is now 192\.0\.2\.2:4444/,
  );
});

Deno.test("reload() does not call back a peer that moved on its own", async () => {
  const { peer, names, reload, endpoint, table } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.run(NEVER);
  table.endpoints.set(MUX, endpointWords(), 0);
  await reload();
  assert.equal(endpoint(), undefined);
});

Deno.test("reload() keeps what it has when a name is gone", async () => {
  const { peer, names, reload, endpoint, logger } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.run(NEVER);
  names.clear();
  await reload();
  assert.equal(endpoint(), "192.0.2.1:4444");
  assert.match(
    logger.lines.at(-1) ?? "",
    /^ERROR: Cannot resolve 'peer\.test': ENOTFOUND .*: keeping the old address$/,
  );
});

Deno.test("a scoped address is used by the number of its interface", async () => {
  const { peer, endpoint, logger } = setUp({ remoteHost: "fe80::1%eth0" });
  await peer.run(NEVER);
  assert.equal(endpoint(), "[fe80::1%2]:4444");
  assert.match(logger.lines.join(), /remote host \[fe80::1%eth0\]:4444/);
  const lost = setUp({ remoteHost: "fe80::1%eth9" });
  await assert.rejects(lost.peer.run(NEVER), {
    message:
      "Cannot use the address fe80::1%eth9: there is no interface 'eth9'",
  });
});

Deno.test("another name or port is followed, if there is an address", async () => {
  const { peer, names, reload, endpoint, logger } = setUp({});
  names.set("peer.test", "192.0.2.1").set("other.test", "192.0.2.2");
  await peer.run(NEVER);
  await assert.rejects(reload({ remoteHost: "none.test" }), {
    message: "Cannot resolve 'none.test': ENOTFOUND (--remote-host)",
  });
  assert.equal(endpoint(), "192.0.2.1:4444");
  await reload({ remoteHost: "other.test" });
  assert.equal(endpoint(), "192.0.2.2:4444");
  await reload({ remotePort: 5555 });
  assert.equal(endpoint(), "192.0.2.2:5555");
  assert.match(logger.lines.at(-1) ?? "", /is now 192\.0\.2\.2:5555$/);
  await reload({ remoteHost: undefined });
  assert.equal(endpoint(), "192.0.2.2:5555", "whoever it is stays the peer");
});

Deno.test("a name that is waited for can be replaced", async () => {
  const { peer, names, reload, endpoint, table } = setUp({});
  const connected = peer.run(NEVER);
  await settle();
  assert.ok(!table.exists(MUX));
  names.set("other.test", "192.0.2.2");
  const secrets = { key: Uint8Array.of(9) };
  await reload({ remoteHost: "other.test", windowSize: 64, secrets });
  await connected;
  assert.equal(endpoint(), "192.0.2.2:4444");
  assert.deepEqual(keysIn(table), [9]);
  assert.equal(table.windowSize(MUX), 64);
});

Deno.test("a connection can get its first keys later, but not lose them", async () => {
  const { peer, reload, table } = setUp({
    ...{ remoteHost: undefined, secrets: undefined },
  });
  const connected = peer.run(NEVER);
  await settle();
  assert.ok(!table.exists(MUX));
  await reload({ secrets: { key: Uint8Array.of(9) } });
  await connected;
  assert.deepEqual(keysIn(table), [9]);
  await assert.rejects(reload({ secrets: undefined }), /cannot lose its keys/);
});

Deno.test("a window of another size is the connection's, and others hear of it", async () => {
  const { peer, reload, table, told } = setUp({ remoteHost: undefined });
  await peer.run(NEVER);
  const before = table.sealing(MUX);
  table.reserve(MUX, table.epoch(MUX), 5);
  await reload({ windowSize: 64, secrets: { key: Uint8Array.of(1) } });
  assert.equal(table.windowSize(MUX), 64);
  assert.equal(table.sealing(MUX), before);
  assert.equal(table.nextSeq(MUX), 5, "no number comes again");
  assert.deepEqual(told, [MUX]);
});

Deno.test("options that are the same leave the connection alone", async () => {
  const { peer, reload, table } = setUp({ remoteHost: undefined });
  await peer.run(NEVER);
  const version = table.version(MUX);
  await reload({ secrets: { key: Uint8Array.of(1) } });
  assert.equal(table.version(MUX), version);
  // What could not be read again are options whose secrets were overwritten.
  await reload();
  assert.equal(table.version(MUX), version);
});

Deno.test("of whatever changes the connections of others notice nothing", async () => {
  const { peer, names, reload, table, clock, told } = setUp({});
  names.set("peer.test", "192.0.2.1").set("other.test", "192.0.2.2");
  const key = new Uint8Array(16).fill(7);
  const secrets = { key, salt: new Uint8Array(14) };
  for (const mux of [MUX - 1, MUX + 1]) {
    table.put(mux, { role: "left", secrets, windowSize: 64 }, 9);
  }
  const others = () =>
    [MUX - 1, MUX + 1].map((mux) => [
      ...[table.version(mux), table.sealing(mux), table.nextSeq(mux)],
    ]);
  const before = others();
  await peer.run(NEVER);
  await reload({ remoteHost: "other.test", remotePort: 5555 });
  await reload({ windowSize: 1024 });
  await reload({ secrets: { key: Uint8Array.of(9) } });
  for (let k = 0; k < 350; k++) await clock.pass(100);
  assert.deepEqual(keysIn(table), [9]);
  assert.deepEqual(others(), before);
  assert.ok(told.every((mux) => mux === MUX));
});

Deno.test("new keys open at once, and seal when the peer uses them", async () => {
  const { peer, reload, table, clock, told, drops } = setUp({
    remoteHost: undefined,
  });
  await peer.run(NEVER);
  await reload({ secrets: { key: Uint8Array.of(9) } });
  assert.deepEqual(keysIn(table), [1, 9]);
  await clock.pass(50);
  assert.deepEqual(keysIn(table), [1, 9]);
  assert.deepEqual(told, []);
  const [, next] = table.held(MUX).sets;
  table.noteOpened(MUX, next?.name ?? 0, 12345);
  await clock.pass(50);
  assert.deepEqual(keysIn(table), [9, 1]);
  assert.deepEqual(told, [MUX]);
  await clock.pass(10);
  await clock.pass(9_000);
  assert.deepEqual(keysIn(table), [9, 1]);
  await clock.pass(1_000);
  assert.deepEqual(keysIn(table), [9]);
  assert.equal(drops.count, 1);
});

Deno.test("keys that are back seal when the peer uses them again, since it may have dropped them", async () => {
  const { peer, reload, table, clock } = setUp({ remoteHost: undefined });
  await peer.run(NEVER);
  table.noteOpened(MUX, table.sealing(MUX) ?? 0, 12345);
  await reload({ secrets: { key: Uint8Array.of(9) } });
  await clock.pass(12_050);
  assert.deepEqual(keysIn(table), [9, 1]);
  await reload({ secrets: { key: Uint8Array.of(1) } });
  await clock.pass(50);
  assert.deepEqual(keysIn(table), [9, 1]);
  const [first] = table.held(MUX).sets;
  table.noteOpened(MUX, first?.name ?? 0, 23456);
  await clock.pass(50);
  assert.deepEqual(keysIn(table), [1, 9]);
});

Deno.test("new keys seal after a while, also if the peer is silent", async () => {
  const { peer, reload, table, clock, logger } = setUp({
    remoteHost: undefined,
  });
  await peer.run(NEVER);
  await reload({ secrets: { key: Uint8Array.of(9) } });
  await clock.pass(11_999);
  assert.deepEqual(keysIn(table), [1, 9]);
  await clock.pass(50);
  assert.deepEqual(keysIn(table), [9, 1]);
  assert.match(
    logger.lines.at(-1) ?? "",
    /the peer was not heard with them yet$/,
  );
});

/** Two ends that the time passes for in steps, and what one sends to the other. */
function twoEnds() {
  const ends = [0, 1].map(() => setUp({ remoteHost: undefined })) as [
    ReturnType<typeof setUp>,
    ReturnType<typeof setUp>,
  ];
  const lost: string[] = [];
  const onTheWay: { at: number; to: number; key: number }[] = [];
  let now = 0;
  return {
    ends,
    lost,
    start: () => Promise.all(ends.map(({ peer }) => peer.run(NEVER))),
    change: (end: number, byte: number) =>
      ends[end]?.reload({ secrets: { key: Uint8Array.of(byte) } }),
    /** @param senders Those that send something in each step */
    async until(end: number, senders: readonly number[]): Promise<void> {
      for (; now < end; now += STEP_MS) {
        for (const sender of senders) {
          const [key = 0] = keysIn(ends[sender]?.table ?? assert.fail());
          onTheWay.push({ at: now + WAY_MS, to: 1 - sender, key });
        }
        while ((onTheWay[0]?.at ?? Infinity) <= now) {
          const { to, key } = onTheWay.shift() ?? assert.fail();
          const table = ends[to]?.table ?? assert.fail();
          const sets = table.held(MUX).sets;
          const set = sets.find(({ secrets }) => secrets.key[0] === key);
          if (set === undefined) lost.push(`key ${key} at ${to}, ${now} ms`);
          else table.noteOpened(MUX, set.name, 1 + now);
        }
        for (const { clock } of ends) await clock.pass(STEP_MS);
      }
    },
  };
}

const STEP_MS = 50;
/** A long way, with a queue on it. */
const WAY_MS = 1000;

for (const apart of [0, 100, 5_000, 9_900]) {
  for (const senders of [[0, 1], [0], [1]]) {
    Deno.test(`ends that get new keys ${apart} ms apart lose nothing that ${senders.join(" and ")} sends`, async () => {
      const { ends, lost, start, change, until } = twoEnds();
      await start();
      await until(1_000, senders);
      await change(0, 9);
      await until(1_000 + apart, senders);
      await change(1, 9);
      await until(60_000, senders);
      assert.deepEqual(lost, []);
      for (const { table } of ends) assert.deepEqual(keysIn(table), [9]);
    });
  }
}

for (const silent of [true, false]) {
  Deno.test(`keys that one end gives up before it seals with them are not lost where the other gets them late${silent ? ", and hears nothing" : ""}`, async () => {
    const { lost, start, change, until } = twoEnds();
    const senders = silent ? [1] : [0, 1];
    await start();
    await change(1, 8);
    await until(2_300, senders);
    await change(0, 8);
    await change(0, 9);
    // The other seals with 8 since its patience was over.
    await until(12_200, senders);
    await change(1, 9);
    await until(60_000, senders);
    assert.deepEqual(lost, []);
  });
}

Deno.test("keys that are taken back before they seal leave a while later", async () => {
  const { peer, reload, table, clock } = setUp({ remoteHost: undefined });
  await peer.run(NEVER);
  await reload({ secrets: { key: Uint8Array.of(9) } });
  await reload({ secrets: { key: Uint8Array.of(8) } });
  await reload({ secrets: { key: Uint8Array.of(9) } });
  await reload({ secrets: { key: Uint8Array.of(1) } });
  assert.deepEqual(keysIn(table).toSorted(), [1, 8, 9]);
  await clock.pass(10);
  // The peer may have got them as late, and seal with them as long.
  await clock.pass(31_999);
  assert.deepEqual(keysIn(table).toSorted(), [1, 8, 9]);
  await clock.pass(1);
  assert.deepEqual(keysIn(table), [1]);
  await clock.pass(20_000);
  assert.deepEqual(keysIn(table), [1]);
});

Deno.test("a peer that does not answer is looked for at its name, and found at another address", async () => {
  const { peer, names, endpoint, search, told, logger, clock } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.run(NEVER);
  names.set("peer.test", "192.0.2.2");
  search.look();
  await clock.pass(0);
  assert.equal(endpoint(), "192.0.2.1:4444", "it is not missed");
  search.isUnanswered = true;
  search.look();
  await clock.pass(0);
  assert.equal(endpoint(), "192.0.2.2:4444");
  assert.equal(told.length, 2);
  assert.match(
    logger.lines.at(-1) ?? "",
    /peer.test is now 192.0.2.2:4444: it did not answer at 192.0.2.1:4444/,
  );
});

Deno.test("a peer that does not answer at an address that was given as such stays there", async () => {
  const { peer, endpoint, search, logger, clock } = setUp({
    remoteHost: "192.0.2.1",
  });
  await peer.run(NEVER);
  const before = logger.lines.length;
  search.isUnanswered = true;
  search.look();
  await clock.pass(0);
  assert.equal(endpoint(), "192.0.2.1:4444");
  assert.equal(logger.lines.length, before, "nothing was looked up");
});
