/**
 * The door of a sync server with TLS, without TLS: who gets to show a
 * certificate when, in time that the test lets pass.
 */
import { strict as assert } from "node:assert";
import type { HandshakeLimits } from "../../../src/sync/handshake_limiter.ts";
import { KnownMembers } from "../../../src/sync/known_members.ts";
import type { SyncStream } from "../../../src/sync/streams.ts";
import { TlsListener } from "../../../src/sync/tls_listener.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { ipAddress } from "../../samples/routes.ts";
import {
  ManualListener,
  SpeakingStream,
  unlimited,
} from "../../fakes/sync_streams.ts";

/** The header of a record of TLS with a handshake inside. */
const HEADER = "\x16\x03\x01\x02\0";
const MEMBER = "198.51.100.2";
const ROUND_TRIP_MS = 100;

const LIMITS: HandshakeLimits = {
  maxSilent: 128,
  maxWaiting: 128,
  maxHandshakes: 32,
  silentMs: 5000,
  crowdedMs: 2000,
  turnMs: 1000,
  handshakeMs: 10_000,
};

/** How a handshake ends. */
type Outcome = "stalls" | "fails" | "succeeds";

/** A client that knows how its handshake ends. */
class Client extends SpeakingStream {
  readonly outcome: Outcome;
  readonly #closed = Promise.withResolvers<void>();

  constructor(address: string, outcome: Outcome) {
    super(address);
    this.outcome = outcome;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  override close(): void {
    super.close();
    this.#closed.resolve();
  }
}

class Rig {
  readonly clock = new ManualClock();
  readonly members = new KnownMembers();
  readonly log = recordingLog();
  readonly verified: SyncStream[] = [];
  begun = 0;
  readonly #door = new ManualListener();
  readonly #clients = new Map<string, Client>();
  readonly #listener: TlsListener;
  #port = 0;

  constructor(limits: Partial<HandshakeLimits> = {}) {
    this.#listener = new TlsListener(this.#door, {
      handshake: (plain) => this.#handshake(plain),
      limits: { ...LIMITS, ...limits },
      members: this.members,
      delay: this.clock.delay,
      now: this.clock.now,
      log: unlimited(this.log),
    });
    void this.#serve();
  }

  /** A client connects. */
  async connect(
    address: string,
    says = "",
    outcome: Outcome = "stalls",
  ): Promise<Client> {
    const client = new Client(address, outcome);
    const port = ++this.#port;
    Object.assign(client.remote, { port });
    this.#clients.set(`${port}`, client);
    if (says !== "") client.say(says);
    this.#door.offer(client);
    await settle();
    return client;
  }

  close(): void {
    this.#listener.close();
  }

  async #serve(): Promise<void> {
    for (;;) {
      const next = await this.#listener.accept().catch(() => undefined);
      if (next === undefined) return;
      this.verified.push(next);
    }
  }

  async #handshake(plain: SyncStream): Promise<SyncStream> {
    this.begun++;
    const client = "port" in plain.remote
      ? this.#clients.get(`${plain.remote.port}`)
      : undefined;
    const header = new Uint8Array(99);
    const size = await plain.read(header);
    assert.deepEqual([...header.subarray(0, size ?? 0)], [22, 3, 1, 2, 0]);
    if (client?.outcome === "fails") throw new Error("no certificate");
    const end = client?.outcome === "succeeds"
      ? this.clock.delay(ROUND_TRIP_MS)
      : new Promise(() => {});
    await Promise.race([end, client?.closed]);
    if (client?.isClosed) throw new Error("closed");
    return plain;
  }
}

/** A flood of 500 clients a second while a member comes twenty times. */
async function membersIn(
  rig: Rig,
  attack: (k: number) => readonly [address: string, says: string],
  { memberSpeaksAfter = 0 } = {},
): Promise<number> {
  let k = 0;
  const flood = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 2) {
      await rig.connect(...attack(k++));
      await rig.clock.pass(2);
    }
  };
  await flood(1000);
  for (let time = 0; time < 20; time++) {
    const member = await rig.connect(MEMBER, "", "succeeds");
    await flood(memberSpeaksAfter);
    member.say(HEADER);
    await settle();
    // As long as a member waits for a server.
    const until = rig.clock.now() + 10_000;
    const before = rig.verified.length;
    while (rig.verified.length === before && rig.clock.now() < until) {
      await flood(20);
    }
    member.close();
  }
  rig.close();
  return rig.verified.length;
}

/** More networks than there are places; none is the member's. */
function network(k: number): string {
  return `10.${k % 250}.${Math.floor(k / 250) % 250}.1`;
}

for (
  const [name, attack] of [
    ["one address that say nothing", () => ["192.0.2.3", ""]],
    ["its own address that say nothing", () => [MEMBER, ""]],
    ["one address that begin and stop", () => ["192.0.2.3", HEADER]],
    ["one network that begin and stop", (k) => [`192.0.2.${k % 256}`, HEADER]],
    ["120 networks that say nothing", (k) => [network(k % 120), ""]],
    ["120 networks that begin and stop", (k) => [network(k % 120), HEADER]],
    ["thousands of networks that say nothing", (k) => [network(k), ""]],
  ] as readonly (readonly [
    string,
    (k: number) => readonly [string, string],
  ])[]
) {
  Deno.test(`a member nobody knows gets in 20 times of 20 through 500 clients a second of ${name}`, async () => {
    assert.equal(await membersIn(new Rig(), attack), 20);
  });
}

Deno.test("a member that was named gets in 20 times of 20 although thousands of networks begin and stop", async () => {
  const rig = new Rig();
  rig.members.name("member", [ipAddress(MEMBER)]);
  assert.equal(await membersIn(rig, (k) => [network(k), HEADER]), 20);
});

Deno.test("a member that was here before gets in 20 times of 20 although thousands of networks begin and stop", async () => {
  const rig = new Rig();
  await rig.connect(MEMBER, HEADER, "succeeds");
  await rig.clock.pass(ROUND_TRIP_MS);
  assert.equal(rig.verified.length, 1);
  assert.equal(await membersIn(rig, (k) => [network(k), HEADER]), 21);
});

Deno.test("a member whose first bytes come late gets in 20 times of 20", async () => {
  const late = { memberSpeaksAfter: 600 };
  const silent = await membersIn(new Rig(), () => ["192.0.2.3", ""], late);
  assert.equal(silent, 20);
  const begun = await membersIn(new Rig(), () => ["192.0.2.3", HEADER], late);
  assert.equal(begun, 20);
});

for (const outcome of ["stalls", "fails"] as const) {
  Deno.test(`a flood whose every handshake ${outcome} has as many handshakes a second as there are places`, async () => {
    const rig = new Rig();
    for (let k = 0; k < 1000; k++) {
      await rig.connect(network(k % 100), HEADER, outcome);
      await rig.clock.pass(2);
    }
    // At the beginning, after one turn and after two: 1000 were asked for.
    assert.ok(rig.begun >= 64 && rig.begun <= 96, `${rig.begun}`);
    rig.close();
  });
}

Deno.test("nothing is made for a client before it has begun to speak TLS", async () => {
  const rig = new Rig();
  const client = await rig.connect(MEMBER, "", "succeeds");
  for (const byte of HEADER) {
    assert.equal(rig.begun, 0);
    client.say(byte);
    await settle();
  }
  assert.equal(rig.begun, 1);
  await rig.clock.pass(ROUND_TRIP_MS);
  assert.equal(rig.verified.length, 1);
  for (const other of ["GET /", "\x15\x03", "\x16\x02", "\x16"]) {
    const client = await rig.connect(MEMBER, other);
    client.end();
    await settle();
    assert.equal(client.isClosed, true, other);
  }
  assert.equal(rig.begun, 1);
  rig.close();
});

Deno.test("a client may be silent for 5 seconds, and for 2 where it is crowded", async () => {
  const rig = new Rig({ maxSilent: 4 });
  const first = await rig.connect("192.0.2.1");
  await rig.clock.pass(4750);
  assert.equal(first.isClosed, false);
  await rig.clock.pass(250);
  assert.equal(first.isClosed, true);

  rig.members.name("member", [ipAddress(MEMBER)]);
  const member = await rig.connect(MEMBER);
  const others = [
    await rig.connect("192.0.2.1", "\x16\x03"),
    await rig.connect("192.0.2.2"),
  ];
  await rig.clock.pass(1750);
  assert.deepEqual(others.map(({ isClosed }) => isClosed), [false, false]);
  await rig.clock.pass(250);
  assert.deepEqual(others.map(({ isClosed }) => isClosed), [true, true]);
  assert.equal(member.isClosed, false, "where members are it is not crowded");
  rig.close();
  assert.equal(member.isClosed, true);
  assert.deepEqual(rig.clock.waiting, []);
});

Deno.test("a client that waits for its turn in vain is told so in the end", async () => {
  const rig = new Rig({ maxHandshakes: 1, turnMs: 20_000, handshakeMs: 1000 });
  await rig.connect("192.0.2.1", HEADER);
  const second = await rig.connect("192.0.2.2", HEADER);
  await rig.clock.pass(1000);
  assert.equal(second.isClosed, true);
  assert.deepEqual(rig.log.lines, [
    "WARNING: sync client 192.0.2.2:2 refused: too many handshakes are waiting",
  ]);
  rig.close();
});

Deno.test("a client that is given up takes no handshake from one who waits", async () => {
  const rig = new Rig({ maxHandshakes: 1, turnMs: 1000, handshakeMs: 3000 });
  for (let k = 1; k <= 8; k++) await rig.connect(`10.${k}.0.1`, HEADER);
  await rig.clock.pass(3000);
  const begun = rig.begun;
  // The turn of the last one who has begun is over.
  await rig.connect("10.9.0.1", HEADER);
  assert.equal(rig.begun, begun + 1);
  rig.close();
});
