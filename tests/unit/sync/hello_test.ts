import { strict as assert } from "node:assert";
import { every } from "../../../src/net/every.ts";
import { bindSync } from "../../../src/sync/bind.ts";
import { SyncClient } from "../../../src/sync/client.ts";
import { connectTcp } from "../../../lab/deno_tcp.ts";
import { until as untilIn } from "../../../lab/until.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { formatHello } from "../../../src/sync/extension.ts";
import { Following } from "../../../src/sync/following.ts";
import { SyncServer } from "../../../src/sync/server.ts";
import type { SyncStream } from "../../../src/sync/streams.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { instanceOf, MeshMember } from "../../fakes/sync_mesh.ts";
import {
  connectPlain,
  endpointOf,
  listenPlain,
  pause,
  readText,
  unlimited,
} from "../../fakes/sync_streams.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const FIVE = connectionRecord();
const ROUTE = routeRecord("10.0.0.0/8", 5);
const OLD = encodeRecord(FIVE) + encodeRecord(ROUTE);
const HELLO = formatHello({
  from: instanceOf("a"),
  known: undefined,
  revision: 0,
});
const never = new AbortController().signal;

/**
 * A server of ours that states a connection and a route.
 *
 * @param patience How much longer than usual it waits for a hello.
 */
async function setUp(patience = 1) {
  const clock = { now: 1_000_000 };
  const control = new MeshMember("c", clock);
  control.state(FIVE);
  control.state(ROUTE);
  const log = recordingLog();
  const noName = () => Promise.reject(new Error("no names here"));
  const at = { host: "127.0.0.1", port: 0 };
  const listeners = await bindSync(at, listenPlain, noName);
  const server = new SyncServer({
    listeners,
    snapshot: () =>
      [...control.records.values()].map((one) => encodeRecord(one)),
    feed: control.feed,
    delay: (ms, signal) => pause(ms * patience, signal),
    every,
    log: unlimited(log),
  });
  const stop = new AbortController();
  const running = server.run(stop.signal);
  const local = endpointOf(listeners[0]?.local);
  const connect = () => connectTcp(local, never);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { clock, control, server, local, connect, end };
}

async function say(stream: SyncStream, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  assert.equal(await stream.write(bytes), bytes.length);
}

/** Reads until what has come matches. */
async function readTo(stream: SyncStream, end: RegExp): Promise<string> {
  let text = "";
  while (!end.test(text)) {
    const more = await readText(stream, 1);
    assert.notEqual(more, "", `it ends with ${text}`);
    text += more;
  }
  return text;
}

Deno.test("whoever says no hello gets what originals send, whatever else it says", async () => {
  const { connect, control, server, end } = await setUp();
  const texts = [
    ...[
      "",
      "GET / HTTP/1.1\r\n\r\n",
      "00005 hello",
      "nobody listens".repeat(99),
    ],
    HELLO.replace("hello 1", "hello 0"),
  ];
  const streams = await Promise.all(texts.map(async (text) => {
    const stream = await connect();
    if (text !== "") await say(stream, text);
    assert.equal(await readText(stream, OLD.length), OLD, text);
    return stream;
  }));
  assert.equal(server.members, 0);
  control.withdraw(ROUTE);
  server.wake();
  server.say("kind", "body");
  server.push("changed");
  for (const stream of streams) {
    assert.equal(await readText(stream, 7), "changed");
    stream.close();
  }
  await end();
});

Deno.test("whoever says hello gets revisions, removals and messages instead", async () => {
  // On a busy machine as well it comes in time.
  const { connect, control, server, end } = await setUp(100);
  const stream = await connect();
  await say(stream, HELLO.slice(0, 20));
  await say(stream, HELLO.slice(20));
  const table = await readTo(stream, / all 2$/);
  assert.match(table, /^\d{5} welcome 1 c{16} 0 \d+\d{5} put 1 /);
  assert.equal(server.members, 1);
  control.withdraw(ROUTE);
  server.wake();
  await readTo(stream, / gone 3 \d+ c{16} route 4 10\.0\.0\.0 8$/);
  server.say("kind", "body");
  assert.equal(await readText(stream, 19), "00013 say kind body");
  stream.close();
  await end();
});

Deno.test("a hello that comes late changes over between two records", async () => {
  const { connect, end } = await setUp();
  const stream = await connect();
  assert.equal(await readText(stream, OLD.length), OLD);
  await say(stream, HELLO);
  assert.match(await readTo(stream, / all 2$/), /^\d{5} welcome 1 /);
  stream.close();
  await end();
});

/** A client of ours that follows until it is stopped. */
function follow(
  member: MeshMember,
  port: number,
  onStream: (stream: SyncStream) => void = () => {},
) {
  const stop = new AbortController();
  const following = new Following("s", member.ledger.instance, member);
  const client = new SyncClient({
    server: { host: "127.0.0.1", port },
    apply: (record) => member.put(record, undefined),
    following,
    connect: async (to, signal) => {
      const stream = await connectPlain(to, signal);
      onStream(stream);
      return stream;
    },
    lookup: () => Promise.resolve([]),
    delay: (ms, signal) => pause(ms / 100, signal),
    now: () => performance.now(),
    log: recordingLog(),
  });
  const running = client.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { client, following, end };
}

function until(holds: () => boolean): Promise<void> {
  return untilIn("it holds", 30, holds);
}

Deno.test("a client that asks for all connects anew, and is sent the whole table", async () => {
  const { clock, local, end } = await setUp();
  const member = new MeshMember("a", clock);
  const { client, following, end: leave } = follow(member, local.port);
  await until(() => following.hasAll);
  // As if it had passed over this.
  member.records.clear();
  client.askForAll();
  await until(() => member.has(FIVE) && member.has(ROUTE));
  await until(() => following.hasAll);
  await leave();
  await end();
});

Deno.test("a client of ours goes on where its link broke, and hears what is said", async () => {
  const { clock, control, server, local, end } = await setUp();
  const member = new MeshMember("a", clock);
  const streams: SyncStream[] = [];
  const { following, end: leave } = follow(
    member,
    local.port,
    (stream) => streams.push(stream),
  );
  await until(() => following.hasAll);
  assert.ok(member.has(FIVE) && member.has(ROUTE));
  server.say("floors", "5 7");
  await until(() => member.heard.length > 0);
  assert.deepEqual(member.heard, ["s floors 5 7"]);
  assert.equal(following.instance, instanceOf("c"));
  const hello = following.hello();
  assert.match(hello, /hello 1 a{16} c{16} 2$/);
  streams[0]?.close();
  control.withdraw(FIVE);
  await until(() => streams.length >= 2 && following.hasAll);
  assert.ok(!member.has(FIVE) && member.has(ROUTE));
  await leave();
  await end();
});

Deno.test("a client of ours follows an original as ever", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const streams: Deno.TcpConn[] = [];
  // More than one on a busy machine: who is let in late has connected anew.
  const serving = (async () => {
    for await (const stream of listener) {
      streams.push(stream);
      await stream.write(new TextEncoder().encode(OLD)).catch(() => {});
    }
  })();
  const member = new MeshMember("a", { now: 1_000_000 });
  const { client, end } = follow(member, listener.addr.port);
  await until(() => member.records.size === 2);
  assert.ok(member.has(FIVE) && member.has(ROUTE) && client.isConnected);
  await end();
  listener.close();
  await serving;
  for (const stream of streams) stream.close();
});
