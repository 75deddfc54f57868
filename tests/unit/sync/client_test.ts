import { strict as assert } from "node:assert";
import { type Endpoint, formatEndpoint } from "../../../src/net/endpoint.ts";
import type { PlaceName } from "../../../src/net/place.ts";
import { SyncClient } from "../../../src/sync/client.ts";
import { listenTcp } from "../../../lab/deno_listener.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import type { SyncStream } from "../../../src/sync/streams.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { ipAddress } from "../../samples/routes.ts";
import { routeRecord } from "../../samples/sync_records.ts";
import {
  connectPlain,
  endpointOf,
  pause,
  SpeakingStream,
} from "../../fakes/sync_streams.ts";

const RECORD = routeRecord("10.0.0.0/8", 5);
const TEXT = encodeRecord(RECORD);

/** A client in a world that the test makes. */
class ClientRig {
  readonly clock = new ManualClock();
  readonly log = recordingLog();
  readonly stop = new AbortController();
  readonly records: SyncRecord[] = [];
  /** Endpoints that the client tried, in order. */
  readonly tried: string[] = [];
  /** What becomes of the next attempts; afterwards all are refused. */
  readonly answers: (SpeakingStream | "refuse" | "silence")[] = [];
  addresses: readonly string[] = ["192.0.2.1", "2001:db8::1"];

  /** What else a record has happen. */
  onRecord = () => {};

  start(
    server: PlaceName = { host: "some.name", port: 2323 },
    now: () => number = this.clock.now,
  ): Promise<void> {
    const client = new SyncClient({
      server,
      apply: (record) => {
        this.records.push(record);
        this.onRecord();
      },
      connect: (to, signal) => this.#connect(endpointOf(to), signal),
      lookup: () =>
        this.addresses.length > 0
          ? Promise.resolve(this.addresses.map(ipAddress))
          : Promise.reject(new Error("unknown name")),
      delay: this.clock.delay,
      now,
      log: this.log,
    });
    return client.run(this.stop.signal);
  }

  #connect(to: Endpoint, signal: AbortSignal): Promise<SyncStream> {
    this.tried.push(formatEndpoint(to));
    const answer = this.answers.shift() ?? "refuse";
    if (answer === "refuse") {
      return Promise.reject(new Error("Connection refused"));
    }
    if (answer !== "silence") return Promise.resolve(answer);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  }
}

Deno.test("a client applies records as they come, and keeps the connection", async () => {
  const rig = new ClientRig();
  const stream = new SpeakingStream();
  rig.answers.push(stream);
  const running = rig.start();
  await settle();
  stream.say(TEXT + TEXT + TEXT.slice(0, 30));
  await settle();
  assert.deepEqual(rig.records, [RECORD, RECORD]);
  stream.say(TEXT.slice(30));
  await settle();
  assert.equal(rig.records.length, 3);
  assert.deepEqual(rig.log.lines, [
    "NOTICE: sync: connected to some.name:2323",
  ]);
  assert.deepEqual(rig.clock.waiting, []);
  rig.stop.abort();
  await running;
  assert.equal(stream.isClosed, true);
  assert.equal(rig.log.lines.length, 1);
});

Deno.test("a client that has much to read lets others have their turn", async () => {
  const rig = new ClientRig();
  const stream = new SpeakingStream();
  rig.answers.push(stream);
  let time = 0;
  const running = rig.start({ host: "some.name", port: 2323 }, () => time);
  await settle();
  // Each record takes 4 ms, and nobody knows how long the next is waited for.
  rig.onRecord = () => void (time += 4);
  for (let k = 0; k < 2; k++) {
    stream.say(TEXT);
    await settle();
    time += 1000;
  }
  assert.deepEqual(rig.clock.waiting, []);
  stream.say(TEXT);
  await settle();
  assert.deepEqual(rig.clock.waiting, [0]);
  stream.say(TEXT);
  await settle();
  assert.equal(rig.records.length, 3);
  await rig.clock.pass(0);
  assert.equal(rig.records.length, 4);
  rig.stop.abort();
  await running;
});

Deno.test("a client tries all addresses in turn, and then all again", async () => {
  const rig = new ClientRig();
  const stream = new SpeakingStream();
  rig.answers.push("refuse", "refuse", "refuse", stream);
  const running = rig.start();
  await settle();
  await rig.clock.pass(1000);
  const both = ["192.0.2.1:2323", "[2001:db8::1]:2323"];
  assert.deepEqual(rig.tried, [...both, ...both]);
  rig.stop.abort();
  await running;
});

Deno.test("pauses grow to 10 seconds, and failures are logged once", async () => {
  const rig = new ClientRig();
  rig.addresses = ["192.0.2.1"];
  const running = rig.start();
  await settle();
  for (const seconds of [1, 2, 4, 8, 10, 10, 10]) {
    assert.deepEqual(rig.clock.waiting, [seconds * 1000]);
    await rig.clock.pass(seconds * 1000);
  }
  const notices = rig.log.lines.filter((line) => line.startsWith("NOTICE"));
  assert.deepEqual(notices, [
    "NOTICE: sync: cannot connect to some.name:2323 (Connection refused) retrying every 10sec",
  ]);
  rig.stop.abort();
  await running;
});

Deno.test("of an outage each reason is told once, however they take turns", async () => {
  const rig = new ClientRig();
  rig.addresses = ["192.0.2.1"];
  rig.answers.push("refuse", "silence", "refuse", "silence");
  const running = rig.start();
  await settle();
  for (let k = 0; k < 10; k++) await rig.clock.pass(10_000);
  assert.ok(rig.tried.length > 4);
  const notices = rig.log.lines.filter((line) => line.startsWith("NOTICE"));
  assert.deepEqual(
    notices.map((line) => /\((.*)\)/.exec(line)?.[1]),
    ["Connection refused", "no answer"],
  );
  rig.stop.abort();
  await running;
});

Deno.test("a server that closes at once is asked less and less often", async () => {
  const rig = new ClientRig();
  const running = rig.start();
  for (const seconds of [1, 2, 4, 8, 10, 10]) {
    const stream = new SpeakingStream();
    rig.answers.push(stream);
    await rig.clock.pass(rig.clock.waiting[0] ?? 0);
    stream.say(TEXT);
    stream.end();
    await settle();
    assert.deepEqual(rig.clock.waiting, [seconds * 1000]);
  }
  rig.stop.abort();
  await running;
});

Deno.test("a connection that lasted is made again after a second", async () => {
  const rig = new ClientRig();
  const running = rig.start();
  await settle();
  await rig.clock.pass(1000);
  const stream = new SpeakingStream();
  rig.answers.push(stream);
  await rig.clock.pass(2000);
  await rig.clock.pass(10_000);
  stream.end(new Error("Connection reset by peer"));
  await settle();
  assert.deepEqual(rig.clock.waiting, [1000]);
  assert.equal(
    rig.log.lines.at(-1),
    "NOTICE: sync: connection to some.name:2323 lost (input stream error) retrying every 10sec",
  );
  rig.stop.abort();
  await running;
});

Deno.test("a bad record ends the connection with the words of the original", async () => {
  const endings = [
    ["00005 hello", "input stream error"],
    [TEXT.replace("archive", "Archive"), "invalid signature"],
    [TEXT.replace("10.0.0.0", "10.0.0.x"), "Invalid argument"],
    ["hello world", "input stream error"],
  ];
  for (const [text, reason] of endings) {
    const rig = new ClientRig();
    const stream = new SpeakingStream();
    rig.answers.push(stream);
    const running = rig.start({ host: "2001:db8::5", port: 99 });
    await settle();
    stream.say(TEXT + text + TEXT);
    await settle();
    assert.deepEqual(rig.records, [RECORD]);
    assert.equal(stream.isClosed, true);
    assert.equal(
      rig.log.lines.at(-1),
      `NOTICE: sync: connection to 2001:db8::5:99 lost (${reason}) retrying every 10sec`,
    );
    rig.stop.abort();
    await running;
  }
});

Deno.test("an address that does not answer is left for the next one", async () => {
  const rig = new ClientRig();
  const stream = new SpeakingStream();
  rig.answers.push("silence", stream);
  const running = rig.start();
  await settle();
  assert.deepEqual(rig.tried, ["192.0.2.1:2323"]);
  await rig.clock.pass(10_000);
  assert.deepEqual(rig.tried, ["192.0.2.1:2323", "[2001:db8::1]:2323"]);
  rig.stop.abort();
  await running;
});

Deno.test("an address needs no name server, an unknown name is asked for again", async () => {
  const rig = new ClientRig();
  rig.addresses = [];
  const running = rig.start();
  await settle();
  assert.match(rig.log.lines[0] ?? "", /cannot connect .* \(unknown name\)/);
  rig.addresses = ["192.0.2.1"];
  await rig.clock.pass(1000);
  assert.deepEqual(rig.tried, ["192.0.2.1:2323"]);
  rig.stop.abort();
  await running;

  const numeric = new ClientRig();
  numeric.addresses = [];
  const other = numeric.start({ host: "192.0.2.8", port: 1 });
  await settle();
  assert.deepEqual(numeric.tried, ["192.0.2.8:1"]);
  numeric.stop.abort();
  await other;
});

Deno.test("run() ends at once, whatever it waits for", async () => {
  const refused = new ClientRig();
  const silent = new ClientRig();
  silent.answers.push("silence");
  for (const rig of [refused, silent]) {
    const running = rig.start();
    await settle();
    rig.stop.abort();
    await running;
    assert.deepEqual(rig.clock.waiting, []);
  }
});

Deno.test("a failure to apply a record ends the client, not only the connection", async () => {
  const stream = new SpeakingStream();
  stream.say(TEXT);
  const client = new SyncClient({
    server: { host: "192.0.2.1", port: 1 },
    apply: () => {
      throw new Error("table is broken");
    },
    connect: () => Promise.resolve(stream),
    lookup: () => Promise.resolve([]),
    delay: new ManualClock().delay,
    now: () => 0,
    log: recordingLog(),
  });
  const { signal } = new AbortController();
  await assert.rejects(client.run(signal), { message: "table is broken" });
  assert.equal(stream.isClosed, true);
});

Deno.test("a client reads over TCP what a server says", async () => {
  const local = { address: ipAddress("127.0.0.1"), port: 0 };
  const listener = listenTcp(local);
  const stop = new AbortController();
  const records: SyncRecord[] = [];
  const done = Promise.withResolvers<void>();
  const client = new SyncClient({
    server: { host: "127.0.0.1", port: listener.local.port },
    apply: (record) => {
      records.push(record);
      if (records.length === 2) done.resolve();
    },
    connect: connectPlain,
    lookup: () => Promise.resolve([]),
    delay: pause,
    now: () => performance.now(),
    log: recordingLog(),
  });
  const running = client.run(stop.signal);
  const stream = await listener.accept();
  const bytes = new TextEncoder().encode(TEXT + TEXT);
  await stream.write(bytes.subarray(0, 50));
  await stream.write(bytes.subarray(50));
  await done.promise;
  assert.deepEqual(records, [RECORD, RECORD]);
  stop.abort();
  await running;
  stream.close();
  listener.close();
});
