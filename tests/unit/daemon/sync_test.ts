import { strict as assert } from "node:assert";
import type { ClusterOptions } from "../../../src/config/cluster.ts";
import { OTHERS_LOG_LIMIT } from "../../../src/daemon/run_program.ts";
import { SyncCertificates } from "../../../src/daemon/sync_certificates.ts";
import { SyncMember, type SyncWorld } from "../../../src/daemon/sync_member.ts";
import { SyncState } from "../../../src/daemon/sync_state.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import type { IpAddress } from "../../../src/net/address.ts";
import type { Delay } from "../../../src/net/delay.ts";
import { every } from "../../../src/net/every.ts";
import { RouteTable } from "../../../src/route/table.ts";
import { connectTcp } from "../../../lab/deno_tcp.ts";
import { listenTcp } from "../../../lab/deno_listener.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import {
  type ConnectionRecord,
  knownEndpoint,
} from "../../../src/sync/record.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import { LeavingKeys } from "../../../src/tunnel/leaving_keys.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { identityOf, tlsTest } from "../../../lab/certificates.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { starting } from "../../fakes/services.ts";
import { ipAddress } from "../../samples/routes.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";
import {
  ManualListener,
  ManualStream,
  pause,
  readText,
} from "../../fakes/sync_streams.ts";

const MUX = 5;

/** A pause that outlasts the test, without a timer. */
const forEver: Delay = () => new Promise(() => {});

function setUp(delay: Delay = forEver, chainMux?: number) {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const routeTable = new RouteTable(RouteTable.allocate());
  const prepared: number[] = [];
  const drops = { count: 0 };
  const changes = { count: 0 };
  const logger = recordingLog();
  const state = new SyncState({
    table,
    routeTable,
    interfaceIndex: (name) => name === "eth0" ? 2 : undefined,
    ...{ chainMux, delay },
    elapsed: () => 0,
    limited: new RateLimitedLog(logger, OTHERS_LOG_LIMIT, () => 0),
    prepare: (mux) => prepared.push(mux),
    peerMoved: () => void changes.count++,
    leaving: new LeavingKeys({
      ...{ table, delay },
      dropRetired: () => void drops.count++,
    }),
  });
  const learn = (record: ConnectionRecord) =>
    state.putConnection({
      ...record,
      firstSeq: record.seq,
      endpoint: knownEndpoint(record),
    });
  return { state, table, routeTable, prepared, drops, changes, logger, learn };
}

Deno.test("keys that come from a chain are not those that others tell of", () => {
  const { learn, table } = setUp(forEver, MUX);
  learn(connectionRecord({ seq: 3 }));
  assert.ok(!table.exists(MUX), "there is no connection before its own keys");
  const { role, secrets } = connectionRecord();
  table.put(MUX, { role, secrets, windowSize: 64 }, 0);
  const sealing = table.sealing(MUX);
  learn(connectionRecord({ firstKeyByte: 9, seq: 7, windowSize: 0 }));
  assert.equal(table.sealing(MUX), sealing);
  assert.equal(table.held(MUX).sets.length, 1);
  assert.equal(table.nextSeq(MUX), 0);
  learn(connectionRecord({ seq: 7, windowSize: 0 }));
  assert.equal(table.nextSeq(MUX), 7, "the number counts with the same keys");
  assert.equal(table.keys(MUX).windowSize, 64);
  learn(connectionRecord({ mux: 6 }));
  assert.ok(table.exists(6));
});

Deno.test("where a peer is makes no connection, which would have empty keys", () => {
  const { state, table } = setUp();
  const { endpoint } = connectionRecord();
  assert.ok(state.learnPeer({ mux: MUX, firstSeq: 7, endpoint }));
  assert.ok(!table.exists(MUX));
  assert.deepEqual(state.muxes(), []);
  assert.equal(state.peerOf(MUX), undefined);
});

Deno.test("what was learnt is told again as it came, in the order of the original", () => {
  const { state, learn, prepared } = setUp();
  const records = [
    connectionRecord({ mux: 6, host: "0.0.0.0", port: 0 }),
    connectionRecord({ mux: 5, seq: 9 }),
  ];
  for (const record of records) learn(record);
  for (const prefix of ["fd00::/8", "10.1.0.0/16", "10.0.0.0/8"]) {
    assert.ok(state.putRoute(routeRecord(prefix, MUX)));
  }
  assert.deepEqual(state.snapshot(), [
    ...records.toReversed().map((record) => encodeRecord(record)),
    ...["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"].map((prefix) =>
      encodeRecord(routeRecord(prefix, MUX))
    ),
  ]);
  assert.deepEqual(prepared, [6, 5], "their keys are ready before packets");
});

/** A record with a key of this byte. */
function keyRecord(key: number): ConnectionRecord {
  const record = connectionRecord();
  const { secrets } = record;
  const other = { ...secrets, key: secrets.key.slice().fill(key) };
  return { ...record, secrets: other };
}

/** First bytes of the keys of the connection, those that seal first. */
function keysOf(table: ConnectionTable): number[] {
  const { sets, sealing } = table.held(MUX);
  return sets.toSorted((a) => a.name === sealing ? -1 : 1)
    .map(({ secrets }) => secrets.key[0] ?? -1);
}

Deno.test("a key that comes by sync seals at once, and the one before opens for 10 s more", async () => {
  const clock = new ManualClock();
  const { learn, table, drops } = setUp(clock.delay);
  learn(keyRecord(1));
  learn(keyRecord(1));
  assert.deepEqual(clock.waiting, []);
  learn(keyRecord(2));
  assert.deepEqual(keysOf(table), [2, 1]);
  await clock.pass(10);
  await clock.pass(9999);
  assert.deepEqual(keysOf(table), [2, 1]);
  assert.equal(drops.count, 0);
  await clock.pass(1);
  assert.deepEqual(keysOf(table), [2]);
  assert.equal(drops.count, 1);
});

Deno.test("keys that take turns stay for 10 s after the last time", async () => {
  const clock = new ManualClock();
  const { learn, table } = setUp(clock.delay);
  /** Lets a group of leaving keys close as well. */
  const pass = async (ms: number) => {
    await clock.pass(10);
    await clock.pass(ms - 10);
  };
  learn(keyRecord(1));
  learn(keyRecord(2));
  await pass(4000);
  learn(keyRecord(1));
  await pass(4000);
  learn(keyRecord(2));
  await pass(3000);
  assert.deepEqual(keysOf(table), [2, 1], "the first time is of no account");
  await pass(4000);
  assert.deepEqual(keysOf(table), [2, 1], "2 is in use, and 1 was lately");
  await pass(4000);
  assert.deepEqual(keysOf(table), [2]);
  assert.deepEqual(clock.waiting, []);
});

Deno.test("a record tells the number that is next now", () => {
  const { state, table, learn } = setUp();
  learn(connectionRecord({ seq: 9 }));
  table.reserve(MUX, table.keys(MUX).epoch, 3);
  const now = encodeRecord(connectionRecord({ seq: 12 }));
  assert.equal(state.connection(MUX), now);
  learn(connectionRecord({ seq: 0 }));
  assert.equal(state.connection(MUX), now, "it never goes back");
});

Deno.test("a number that is too far ahead is refused, but not the rest of its record", () => {
  const { state, learn, prepared } = setUp();
  const far = connectionRecord({ host: "192.0.2.9", seq: 2 ** 31 + 1 });
  const told = (record: typeof far) => [encodeRecord(record)];
  assert.equal(learn(far), false);
  assert.deepEqual(state.snapshot(), told({ ...far, seq: 0 }));
  assert.equal(learn(connectionRecord({ seq: 9 })), true);
  assert.equal(learn({ ...far, seq: 2 ** 31 + 10 }), false);
  assert.deepEqual(state.snapshot(), told({ ...far, seq: 9 }));
  assert.deepEqual(prepared, [MUX, MUX, MUX]);
});

Deno.test("an own connection is told once its peer is known", () => {
  const { state, table } = setUp();
  const { endpoint, secrets, ...record } = connectionRecord();
  table.put(MUX, { ...record, secrets }, 0);
  assert.deepEqual(state.snapshot(), []);
  const words = endpointWords();
  writeEndpoint(words, 0, endpoint);
  table.endpoints.set(MUX, words, 0);
  assert.deepEqual(state.snapshot(), [encodeRecord(connectionRecord())]);
});

Deno.test("an endpoint on an interface that is not here is left out", () => {
  const { state, learn, logger } = setUp();
  learn(connectionRecord({ host: "fe80::1%eth0" }));
  const [known] = state.snapshot();
  assert.match(known ?? "", / 9 fe80::1%2 4444$/);
  learn(connectionRecord({ mux: 6, host: "fe80::1%eth9" }));
  assert.match(state.connection(6) ?? "", / 7 0\.0\.0\.0 0$/);
  assert.match(logger.lines.join(), /connection 6 .* no interface 'eth9'/);
});

Deno.test("endpoints on interfaces that are not here do not fill the log", () => {
  const { state, learn, logger } = setUp();
  for (let mux = 0; mux < 1000; mux++) {
    learn(connectionRecord({ mux, host: "fe80::1%eth9" }));
  }
  assert.equal(state.snapshot().length, 1000);
  assert.equal(logger.lines.length, 5);
});

Deno.test("routes are looked at again when a member says that a peer is elsewhere", () => {
  const { state, table, changes, learn } = setUp();
  learn(connectionRecord({ host: "192.0.2.9" }));
  learn(connectionRecord({ host: "192.0.2.9", seq: 7 }));
  assert.equal(changes.count, 1);
  learn(connectionRecord({ host: "2001:db8::9" }));
  assert.equal(changes.count, 2);
  // As a datagram does, whose source may be forged.
  table.endpoints.set(MUX, endpointWords().fill(4, 0, 1), 0);
  assert.deepEqual(state.peerOf(MUX), ipAddress("2001:db8::9"));
  assert.equal(state.peerOf(MUX + 1), undefined);
});

Deno.test("routes reach the data plane together", async () => {
  const over = Promise.withResolvers<void>();
  let pauses = 0;
  const { state, routeTable } = setUp(() => {
    pauses++;
    return over.promise;
  });
  const muxFor = (...address: number[]) =>
    routeTable.lookupIpv4(Uint8Array.from(address), 0);
  state.putRoute(routeRecord("10.0.0.0/8", 5));
  state.putRoute(routeRecord("10.1.0.0/16", 6));
  assert.equal(muxFor(10, 1, 2, 3), -1);
  over.resolve();
  await pause(0);
  assert.equal(muxFor(10, 1, 2, 3), 6);
  assert.equal(muxFor(10, 2, 2, 3), 5);
  assert.equal(pauses, 1);
});

Deno.test("a connection that was neither learnt nor heard is not told", () => {
  const { state, table, learn } = setUp();
  learn(connectionRecord({ mux: 6 }));
  const { endpoint: _, ...unheard } = connectionRecord();
  table.put(MUX, unheard, 0);
  const other = encodeRecord(connectionRecord({ mux: 6 }));
  assert.deepEqual(state.snapshot(), [other]);
  learn(connectionRecord());
  assert.equal(state.snapshot().length, 2);
});

/** A member, and the port of its server, which the system chooses. */
function memberOf(
  state: SyncState,
  options: Pick<ClusterOptions, "syncServer"> & Partial<ClusterOptions>,
  logger = recordingLog(),
  world: Partial<SyncWorld> = {},
) {
  const bound = { port: 0 };
  const member = new SyncMember(
    {
      ...{ syncServers: [], syncTls: undefined, syncAnyUser: false },
      ...{ controlHosts: [], memberRights: "all" },
      ...{ routing: false, anySource: false, routes: [] },
      ...options,
    },
    contextOf(state, logger),
    {
      listenTcp(on) {
        const listener = listenTcp(on);
        bound.port = listener.local.port;
        return listener;
      },
      connectTcp,
      openUnixStreams: () => {
        throw new Error("no unix sockets here");
      },
      openOwners: () => () => 0,
      effectiveUser: () => 0,
      lookup: () => Promise.reject(new Error("no names here")),
      delay: pause,
      every,
      elapsed: () => performance.now(),
      now: () => Date.now(),
      random: (words) => void crypto.getRandomValues(words),
      ...world,
    },
  );
  return { member, bound };
}

/** What a member shares with a daemon whose clock stands still. */
function contextOf(state: SyncState, logger = recordingLog()) {
  const limited = new RateLimitedLog(logger, OTHERS_LOG_LIMIT, () => 0);
  const kdPrf = "aes-ctr-128" as const;
  return { state, kdPrf, logger, limited, identity: undefined };
}

Deno.test("a member tells its clients once of a peer that moves often", async () => {
  const { state, table, learn } = setUp();
  const { member, bound } = memberOf(state, {
    syncServer: { host: "127.0.0.1", port: 0 },
  });
  await member.start(starting());
  const stop = new AbortController();
  const running = member.run(stop.signal);
  learn(connectionRecord());
  const address = ipAddress("127.0.0.1");
  const client = await connectTcp(
    { address, port: bound.port },
    stop.signal,
  );
  const first = encodeRecord(connectionRecord());
  assert.equal(await readText(client, first.length), first);
  learn(connectionRecord({ host: "192.0.2.9", seq: 3 }));
  learn(connectionRecord({ mux: 6 }));
  learn(connectionRecord({ mux: 7 }));
  for (const mux of [MUX, MUX, 7, 6, MUX]) member.moved(mux);
  table.remove(7);
  const told = encodeRecord(connectionRecord({ host: "192.0.2.9", seq: 3 })) +
    encodeRecord(connectionRecord({ mux: 6 }));
  assert.equal(await readText(client, told.length), told);
  client.close();
  stop.abort();
  await running;
});

Deno.test("the name of a sync server is waited for aloud, and in vain after the stop", async () => {
  const found = Promise.withResolvers<readonly IpAddress[]>();
  const syncServer = { host: "a.name", port: 2323 };
  const bound: unknown[] = [];
  const { member } = memberOf(setUp().state, { syncServer }, undefined, {
    lookup: () => found.promise,
    listenTcp: (on) => {
      bound.push(on);
      return new ManualListener();
    },
  });
  const waits: string[] = [];
  const stop = new AbortController();
  const start = starting((what) => waits.push(what));
  const started = member.start({ ...start, stop: stop.signal });
  while (waits.length === 0) await pause(0);
  assert.deepEqual(waits, [
    "an address of 'a.name' (--sync-interface, --sync-port)",
  ]);
  stop.abort();
  await started;
  found.resolve([ipAddress("192.0.2.1")]);
  await settle();
  assert.deepEqual(bound, []);
});

Deno.test("a member without a server has nobody to tell", async () => {
  const { state } = setUp();
  const { member } = memberOf(state, { syncServer: undefined });
  await member.start(starting());
  // There is no such connection: to tell of it would fail.
  member.moved(MUX);
  await pause(0);
  await member.run(AbortSignal.abort());
});

Deno.test("a member that is not open yet connects to nobody", async () => {
  const { state, logger } = setUp();
  const listener = listenTcp({
    address: { family: 4, bytes: Uint8Array.of(127, 0, 0, 1) },
    port: 0,
  });
  const syncServers = [{ host: "127.0.0.1", port: listener.local.port }];
  const options = { syncServer: undefined, syncServers };
  const { member } = memberOf(state, options, logger);
  const stop = new AbortController();
  const running = member.run(stop.signal);
  const said = () => logger.lines.some((line) => /before the start/.test(line));
  let hasCome = false;
  const coming = listener.accept().then((stream) => {
    hasCome = true;
    stream.close();
  }, () => {});
  while (!said() && !hasCome) await pause(5);
  stop.abort();
  await running;
  listener.close();
  await coming;
  assert.equal(hasCome, false);
});

Deno.test("members that were named find a place where others have taken all", async () => {
  const door = new ManualListener<ManualStream>();
  const member = new SyncMember(
    {
      syncServer: { host: "192.0.2.1", port: 2323 },
      syncServers: [
        { host: "198.51.100.2", port: 2323 },
        { host: "a.name", port: 2323 },
      ],
      ...{ syncTls: undefined, syncAnyUser: true },
      ...{ controlHosts: [], memberRights: "all" },
      ...{ routing: false, anySource: false, routes: [] },
    },
    contextOf(setUp().state),
    {
      listenTcp: () => door,
      connectTcp: () => Promise.reject(new Error("nobody listens")),
      lookup: () => Promise.resolve([ipAddress("2001:db8:7::1")]),
      delay: (ms, signal) => pause(ms, signal),
      every,
      elapsed: () => 0,
      now: () => 0,
      random: () => {},
      effectiveUser: () => 0,
      openOwners: () => () => 0,
      openUnixStreams: () => {
        throw new Error("there are none");
      },
    },
  );
  await member.start(starting());
  const stop = new AbortController();
  const running = member.run(stop.signal);
  const connect = async (address: string) => {
    const stream = new ManualStream(address);
    door.offer(stream);
    await settle();
    return stream;
  };
  for (let k = 0; k < 64; k++) {
    assert.equal((await connect(`10.0.${k}.1`)).isClosed, false);
  }
  assert.equal((await connect("203.0.113.3")).isClosed, true);
  assert.equal((await connect("198.51.100.2")).isClosed, false);
  assert.equal((await connect("2001:db8:7::9")).isClosed, false);
  stop.abort();
  await running;
});

tlsTest("a member follows another one through TLS alone", async () => {
  const syncTls = identityOf("shared", "shared");
  const told = setUp();
  told.learn(connectionRecord());
  const syncServer = { host: "127.0.0.1", port: 0 };
  const server = memberOf(told.state, { syncServer, syncTls }, told.logger);
  await server.member.start(starting());
  const stop = new AbortController();
  const runs = [server.member.run(stop.signal)];
  const learner = setUp();
  const outsider = setUp();
  const syncServers = [{ host: "127.0.0.1", port: server.bound.port }];
  const follow = async (
    { state, logger }: ReturnType<typeof setUp>,
    tls: ClusterOptions["syncTls"],
  ) => {
    const options = { syncServer: undefined, syncServers, syncTls: tls };
    const { member } = memberOf(state, options, logger);
    await member.start(starting());
    runs.push(member.run(stop.signal));
  };
  await follow(outsider, undefined);
  await follow(learner, syncTls);
  while (learner.prepared.length === 0) await pause(5);
  stop.abort();
  await Promise.all(runs);
  assert.deepEqual(learner.state.snapshot(), told.state.snapshot());
  assert.deepEqual(outsider.state.snapshot(), []);
  const clients = told.logger.lines.filter((line) => /new sync/.test(line));
  assert.equal(clients.length, 1, "the outsider is none");
});

tlsTest(
  "certificates that are replaced serve whoever connects from then on",
  async () => {
    const logger = recordingLog();
    const trust = (syncTls: ClusterOptions["syncTls"]) => ({
      ...{ syncTls, syncAnyUser: false },
    });
    const first = trust(identityOf("alice", "ca"));
    const certificates = new SyncCertificates(first, (one) => one, logger);
    assert.deepEqual(certificates.live, [
      ...["syncTlsCert", "syncTlsKey", "syncTlsCa"],
    ]);
    const told = setUp();
    told.learn(connectionRecord());
    const { member, bound } = memberOf(told.state, {
      syncServer: { host: "127.0.0.1", port: 0 },
      syncTls: certificates.identity,
    }, told.logger);
    await member.start(starting());
    const stop = new AbortController();
    const runs = [member.run(stop.signal)];
    const follow = async (syncTls: ClusterOptions["syncTls"]) => {
      const learner = setUp();
      const syncServers = [{ host: "127.0.0.1", port: bound.port }];
      const options = { syncServer: undefined, syncServers, syncTls };
      const { member } = memberOf(learner.state, options, learner.logger);
      await member.start(starting());
      runs.push(member.run(stop.signal));
      return learner;
    };
    const bob = await follow(identityOf("bob", "ca"));
    while (bob.prepared.length === 0) await pause(5);
    const next = trust(identityOf("shared", "shared"));
    certificates.check(next);
    certificates.reload(next);
    const shared = await follow(identityOf("shared", "shared"));
    while (shared.prepared.length === 0) await pause(5);
    assert.throws(() => certificates.check(trust(undefined)), /cannot lose/);
    certificates.reload(next);
    assert.equal(logger.lines.length, 1);
    stop.abort();
    await Promise.all(runs);
  },
);

Deno.test("without certificates at the start, others wait for the next one", () => {
  const trust = { syncTls: undefined, syncAnyUser: false };
  const { live, identity } = new SyncCertificates(
    trust,
    (one) => one,
    recordingLog(),
  );
  assert.deepEqual([live, identity], [[], undefined]);
});
