import { strict as assert } from "node:assert";
import type { ClusterOptions } from "../../../src/config/cluster.ts";
import type { MemberRights } from "../../../src/config/member_rights.ts";
import { OTHERS_LOG_LIMIT } from "../../../src/daemon/run_program.ts";
import { SyncMember } from "../../../src/daemon/sync_member.ts";
import { SyncState } from "../../../src/daemon/sync_state.ts";
import { stepFault } from "../../../src/health/in_step.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { listenTcp } from "../../../lab/deno_listener.ts";
import { connectTcp } from "../../../lab/deno_tcp.ts";
import { identityOf, tlsTest } from "../../../lab/certificates.ts";
import { until } from "../../../lab/until.ts";
import { RouteTable } from "../../../src/route/table.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { formatMessage, type Stamp } from "../../../src/sync/extension.ts";
import type { Delay } from "../../../src/net/delay.ts";
import { every } from "../../../src/net/every.ts";
import { formatPlaceName } from "../../../src/net/place.ts";
import { KnownMembers } from "../../../src/sync/known_members.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { SyncServer } from "../../../src/sync/server.ts";
import type { ConnectTcp } from "../../../src/sync/streams.ts";
import { listenTls } from "../../../src/sync/tls.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { LeavingKeys } from "../../../src/tunnel/leaving_keys.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { starting } from "../../fakes/services.ts";
import { pause, SpeakingStream, unlimited } from "../../fakes/sync_streams.ts";
import { instanceOf } from "../../fakes/sync_mesh.ts";
import { ipAddress } from "../../samples/routes.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const MEMBER = { host: "127.0.0.1", port: 1 };
const CONTROL = { host: "127.0.0.1", port: 2 };
const NOW = 1_000_000;
/** A pause that outlasts the test, without a timer. */
const forEver: Delay = () => new Promise(() => {});

const FIVE = connectionRecord({ host: "0.0.0.0", port: 0 });
const LIES = [
  connectionRecord({ mux: 6 }),
  connectionRecord({ firstKeyByte: 9 }),
  routeRecord("10.9.0.0/16", 6),
];

function welcome(instance: string): string {
  return formatMessage({ word: "welcome", instance, since: 0, version: NOW });
}

function put(record: SyncRecord, stamp: Stamp | undefined): string {
  return formatMessage({ word: "put", revision: 1, stamp, record });
}

/** A member that has started, and follows another one and a control daemon. */
async function setUp(
  memberRights: MemberRights,
  options: Partial<ClusterOptions>,
  connect: ConnectTcp,
) {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const logger = recordingLog();
  const limited = new RateLimitedLog(logger, OTHERS_LOG_LIMIT, () => 0);
  const clock = { ahead: 0 };
  const elapsed = () => clock.ahead;
  const world = { delay: pause, elapsed };
  const later = { delay: forEver, elapsed: world.elapsed };
  const state = new SyncState({
    ...{ ...later, table, limited },
    routeTable: new RouteTable(RouteTable.allocate()),
    interfaceIndex: () => undefined,
    prepare() {},
    leaving: new LeavingKeys({ ...later, table, dropRetired() {} }),
  });
  const member = new SyncMember(
    {
      ...{ syncServer: undefined, syncServers: [MEMBER, CONTROL] },
      ...{ controlHosts: [CONTROL], memberRights },
      ...{ syncTls: undefined, syncAnyUser: true },
      ...{ routing: true, anySource: false, routes: [], ...options },
    },
    {
      ...{ state, logger, limited },
      kdPrf: "aes-ctr-128",
      identity: undefined,
    },
    {
      ...world,
      connectTcp: connect,
      every,
      now: () => NOW,
      random: (words) => void words.fill(7),
      listenTcp,
      lookup: () => Promise.reject(new Error("no names here")),
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
  const end = async () => {
    stop.abort();
    await running;
  };
  return { member, state, table, logger, clock, end };
}

/** Two servers that say what the test says. */
async function twoServers(
  memberRights: MemberRights,
  options: Partial<ClusterOptions> = {},
) {
  const streams = [new SpeakingStream(), new SpeakingStream()] as const;
  const rig = await setUp(memberRights, options, ({ port }) => {
    const stream = streams[port - 1];
    if (stream === undefined) throw new Error(`nobody listens at ${port}`);
    if (stream.isClosed) throw new Error("no route to host");
    const { remote } = stream;
    return Promise.resolve(Object.assign(stream, { local: remote }));
  });
  return { ...rig, other: streams[0], control: streams[1] };
}

for (const kind of ["a member of ours", "an original"]) {
  const say = (stream: SpeakingStream, ...records: SyncRecord[]) => {
    const isOurs = kind === "a member of ours";
    if (isOurs) stream.say(welcome(instanceOf("b")));
    const stamp = { version: NOW, origin: instanceOf("b") };
    for (const record of records) {
      stream.say(isOurs ? put(record, stamp) : encodeRecord(record));
    }
  };

  Deno.test(`what ${kind} states counts, unless members only learn`, async () => {
    for (const rights of ["all", "learn"] as const) {
      const { control, other, state, table, member, end } = await twoServers(
        rights,
      );
      const isBelieved = rights === "all";
      control.say(welcome(instanceOf("c")));
      control.say(put(FIVE, undefined));
      control.say(formatMessage({ word: "all", revision: 1 }));
      await until("the control daemon is heard", 30, () => table.exists(5));
      say(
        other,
        ...LIES,
        connectionRecord({ firstKeyByte: isBelieved ? 9 : 1 }),
      );
      await until(
        "it is heard",
        30,
        () => /192\.0\.2\.7/.test(state.connection(5) ?? ""),
      );
      assert.equal(table.exists(6), isBelieved);
      assert.equal(table.keys(5).secrets.key[0], isBelieved ? 9 : 1);
      assert.equal(state.routes().length, isBelieved ? 1 : 0);
      assert.equal(member.status()?.passedOver, isBelieved ? 0 : 3);
      assert.deepEqual(
        member.links().map(({ mayState }) => mayState),
        [isBelieved, true],
      );
      await end();
    }
  });
}

Deno.test("a control host that is away since the start hides no lie for long", async () => {
  const away = { host: "127.0.0.1", port: 3 };
  const { control, other, table, member, clock, end } = await twoServers(
    "learn",
    {
      syncServers: [MEMBER, CONTROL, away],
      controlHosts: [CONTROL, away],
    },
  );
  control.say(welcome(instanceOf("c")));
  control.say(put(FIVE, undefined));
  control.say(formatMessage({ word: "all", revision: 1 }));
  const hasTable = () => member.links()[1]?.hasTable === true;
  await until("the control daemon is heard", 30, hasTable);
  const lie = async (seq: number) => {
    for (const record of [...LIES, connectionRecord({ seq })]) {
      other.say(encodeRecord(record));
    }
    await until("it is heard", 30, () => table.nextSeq(5) === seq);
    return member.status()?.passedOver;
  };
  assert.equal(await lie(1), 0, "the other one may state it");
  clock.ahead = 10_000;
  assert.equal(await lie(2), LIES.length);
  await end();
});

Deno.test("a member that follows itself has nobody else in reach by that", async () => {
  const { control, other, member, end } = await twoServers("all", {});
  control.say(welcome(instanceOf("c")));
  other.say(welcome(member.instance));
  const names = () => member.links().map(({ name }) => name);
  await until("it has heard itself", 30, () => names().length === 1);
  assert.deepEqual(names(), [formatPlaceName(CONTROL)]);
  assert.deepEqual(member.servers().map(({ server }) => server), names());
  await end();
});

Deno.test("a name that has led to the member itself counts again when it does not", async () => {
  const far = { host: "192.0.2.1", port: 1 };
  const { control, other, member, clock, end } = await twoServers("all", {
    syncServers: [far, CONTROL],
  });
  const all = formatMessage({ word: "all", revision: 1 });
  control.say(welcome(instanceOf("c")) + all);
  other.say(welcome(member.instance) + all);
  const names = () => member.links().map(({ name }) => name);
  const hears = () => names().length === 1 && member.links()[0]?.hasTable;
  await until("it has heard both", 30, () => hears() === true);
  const fault = () =>
    stepFault(member.links(), { age: 10_000, links: 1 }, {
      ...{ elapsed: 60_000, hasConnections: () => false },
    });
  other.end(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" }));
  await until("it is counted", 30, () => names().length === 2);
  assert.equal(fault(), undefined, "it may be back in a moment");
  clock.ahead = 10_000;
  assert.match(fault() ?? "", /^192\.0\.2\.1:1 is out of reach for 10 s$/);
  await end();
});

Deno.test("a control host that says that it is the member itself is waited for", async () => {
  const { control, table, member, end } = await twoServers("learn");
  control.say(welcome(member.instance));
  control.say(put(FIVE, undefined));
  await until("it is heard", 30, () => table.exists(5));
  const names = member.links().map(({ name }) => name);
  assert.ok(names.includes(formatPlaceName(CONTROL)), names.join());
  await end();
});

/** A control daemon with a certificate that names control.example, for one. */
async function named(memberRights: MemberRights, host: string) {
  const identity = identityOf("named", "named");
  const log = recordingLog();
  const listener = listenTls(listenTcp, identity, {
    members: new KnownMembers(),
    ...{ delay: pause, now: () => performance.now(), log: unlimited(log) },
  })({ address: ipAddress("127.0.0.1"), port: 0 });
  const server = new SyncServer({
    ...{ listeners: [listener], delay: pause, log: unlimited(log), every },
    snapshot: () => [encodeRecord(connectionRecord())],
  });
  const stop = new AbortController();
  const serving = server.run(stop.signal);
  const controlHosts = [{ host, port: 2323 }];
  const rig = await setUp(memberRights, {
    ...{ syncServers: controlHosts, controlHosts, syncTls: identity },
  }, (_, signal) => connectTcp(listener.local, signal));
  const line = /sync: (connected|cannot connect) .*/;
  await until(
    "it has tried",
    30,
    () => rig.logger.lines.some((one) => line.test(one)),
  );
  stop.abort();
  await Promise.all([serving, rig.end()]);
  return rig.logger.lines.map((one) => line.exec(one)?.[0] ?? "").join("");
}

tlsTest(
  "a control daemon has to show a certificate of its address, where members only learn",
  async () => {
    assert.match(await named("learn", "192.0.2.1"), /^sync: connected to/);
    assert.match(await named("all", "192.0.2.2"), /^sync: connected to/);
    assert.match(
      await named("learn", "192.0.2.2"),
      /^sync: cannot connect to 192\.0\.2\.2:2323 \(its certificate does not name 192\.0\.2\.2: that of a control host needs it as subjectAltName, .*--member-rights\)/,
    );
  },
);
