import { strict as assert } from "node:assert";
import { every } from "../../../src/net/every.ts";
import type { Place } from "../../../src/net/place.ts";
import { announceSync, bindSync } from "../../../src/sync/bind.ts";
import { connectTcp } from "../../../lab/deno_tcp.ts";
import { SyncServer } from "../../../src/sync/server.ts";
import { settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { ipAddress } from "../../samples/routes.ts";
import {
  endpointOf,
  listenPlain,
  ManualListener,
  ManualStream,
  pause,
  readText,
  unlimited,
} from "../../fakes/sync_streams.ts";

const never = new AbortController().signal;

function noName(): Promise<never> {
  return Promise.reject(new Error("unknown name"));
}

/** A server whose clients are made by the test. */
function manualServer(
  snapshot: () => readonly string[] = () => [],
  isMember: (source: string) => boolean = () => false,
) {
  const listener = new ManualListener();
  const log = recordingLog();
  const stop = new AbortController();
  const server = new SyncServer({
    listeners: [listener],
    snapshot,
    log: unlimited(log),
    delay: () => Promise.resolve(),
    every,
    maxClients: 2,
    isMember,
    maxWaiting: 10,
  });
  const running = server.run(stop.signal);
  const connect = async (address?: string) => {
    const stream = new ManualStream(address);
    listener.offer(stream);
    await settle();
    return stream;
  };
  return { listener, log, server, stop, running, connect };
}

Deno.test("a client gets everything at first, then what changes", async () => {
  const log = recordingLog();
  const stop = new AbortController();
  const at = { host: "127.0.0.1", port: 0 };
  const listeners = await bindSync(at, listenPlain, noName);
  for (const listener of listeners) announceSync(listener, log);
  const many = Array.from({ length: 5000 }, (_, i) => `record ${i};`);
  const server = new SyncServer({
    listeners,
    snapshot: () => many,
    delay: pause,
    every,
    log: unlimited(log),
  });
  const running = server.run(stop.signal);

  const local = endpointOf(listeners[0]?.local);
  const streams = await Promise.all([
    connectTcp(local, never),
    connectTcp(local, never),
  ]);
  const all = many.join("");
  for (const stream of streams) {
    await stream.write(new TextEncoder().encode("nobody listens"));
    assert.equal(await readText(stream, all.length), all);
  }
  server.push("changed");
  for (const stream of streams) {
    assert.equal(await readText(stream, 7), "changed");
  }
  stop.abort();
  for (const stream of streams) {
    assert.equal(await stream.read(new Uint8Array(9)).catch(() => null), null);
    stream.close();
  }
  await running;
  const { port } = local;
  assert.equal(
    log.lines[0],
    `NOTICE: sync server listening on 127.0.0.1:${port}`,
  );
  assert.match(
    log.lines[1] ?? "",
    /^INFO: new sync client connected from 127\.0\.0\.1:\d+$/,
  );
});

Deno.test("a client that ends its side gets what is there, and then the end", async () => {
  const { connect, server, stop } = manualServer(() => ["one", "two"]);
  const client = await connect();
  client.end();
  await settle();
  assert.equal(client.isClosed, false);
  client.take();
  await settle();
  assert.equal(client.written, "onetwo");
  assert.equal(client.isClosed, true);
  server.push("three");
  assert.equal(client.written, "onetwo");
  stop.abort();
});

Deno.test("a client that reads too slowly is dropped, the others are not", async () => {
  const { connect, server, log, stop } = manualServer();
  const slow = await connect();
  const fast = await connect();
  fast.take();
  for (const record of ["aaaaa", "bbbbb", "ccccc", "ddddd"]) {
    server.push(record);
    await settle();
  }
  assert.equal(slow.isClosed, true);
  assert.equal(fast.isClosed, false);
  assert.equal(fast.written, "aaaaabbbbbcccccddddd");
  assert.deepEqual(log.lines.filter((line) => line.startsWith("WARNING")), [
    "WARNING: sync client 192.0.2.9:9 reads too slowly: closing its connection",
  ]);
  stop.abort();
});

Deno.test("a client that waits for a change gets it, and the next one", async () => {
  const { connect, server, stop } = manualServer();
  const client = await connect();
  client.take();
  await settle();
  server.push("a");
  await settle();
  assert.equal(client.written, "a");
  server.push("b");
  await settle();
  assert.equal(client.written, "ab");
  stop.abort();
});

Deno.test("more clients than there is room for are refused until one is gone", async () => {
  const { connect, log, stop } = manualServer();
  const [first] = [await connect(), await connect()];
  const third = await connect();
  assert.equal(third.isClosed, true);
  assert.deepEqual(log.lines.filter((line) => line.startsWith("WARNING")), [
    "WARNING: sync client 192.0.2.9:9 refused: 2 are connected",
  ]);
  first.break();
  await settle();
  const fourth = await connect();
  assert.equal(fourth.isClosed, false);
  stop.abort();
});

Deno.test("clients of one address give a place to one of another address", async () => {
  const { connect, log, stop } = manualServer();
  const first = await connect("192.0.2.1");
  const second = await connect("192.0.2.1");
  const other = await connect("198.51.100.2");
  assert.equal(first.isClosed, false, "it was here first");
  assert.equal(second.isClosed, true);
  assert.equal(other.isClosed, false);
  // Both have as much now as they can.
  for (const address of ["192.0.2.1", "198.51.100.2", "203.0.113.3"]) {
    assert.equal((await connect(address)).isClosed, true, address);
  }
  assert.deepEqual(log.lines.filter((line) => line.startsWith("WARNING")), [
    "WARNING: sync client 192.0.2.1:9 closed: its network or user has the most of 2 places, and another client needs one",
    "WARNING: sync client 192.0.2.1:9 refused: 2 are connected",
    "WARNING: sync client 198.51.100.2:9 refused: 2 are connected",
    "WARNING: sync client 203.0.113.3:9 refused: 2 are connected",
  ]);
  stop.abort();
});

Deno.test("members have places of their own, whoever has taken all others", async () => {
  const isMember = (source: string) => source === "198.51.100.2";
  const { connect, stop } = manualServer(undefined, isMember);
  const strangers = [await connect("192.0.2.1"), await connect("203.0.113.3")];
  const members = [
    await connect("198.51.100.2"),
    await connect("198.51.100.2"),
  ];
  for (const { isClosed } of [...strangers, ...members]) {
    assert.equal(isClosed, false);
  }
  assert.equal((await connect("198.51.100.2")).isClosed, true);
  stop.abort();
});

/** A connection that the runtime does not give up, although it is closed. */
class HeldStream extends ManualStream {
  override close(): void {
    this.isClosed = true;
  }
}

Deno.test("closed clients that keep their sockets are bounded, and in no member's way", async () => {
  const isMember = (source: string) => source === "198.51.100.2";
  const { listener, stop } = manualServer(() => ["one"], isMember);
  const connect = async (address: string) => {
    const stream = new HeldStream(address);
    listener.offer(stream);
    await settle();
    return stream;
  };
  await connect("192.0.2.1");
  let held = 0;
  for (let time = 0; time < 20; time++) {
    const { isClosed } = await connect("192.0.2.1");
    const other = await connect("203.0.113.3");
    if (!isClosed && !other.isClosed) held++;
    other.break();
    await settle();
  }
  // Four times two, without the first one and the one that comes and goes.
  assert.equal(held, 6);
  assert.equal((await connect("198.51.100.2")).isClosed, false);
  stop.abort();
});

Deno.test("for a client that is refused nothing is put together", async () => {
  let made = 0;
  const { connect, stop } = manualServer(() => {
    made++;
    return [];
  });
  for (let k = 0; k < 5; k++) await connect();
  assert.equal(made, 2);
  stop.abort();
});

Deno.test("a server survives what the system cannot accept", async () => {
  const { connect, listener, log, stop } = manualServer(() => ["one"]);
  listener.offer(new Error("Too many open files"));
  await settle();
  const client = await connect();
  client.take();
  await settle();
  assert.equal(client.written, "one");
  assert.equal(
    log.lines[0],
    "ERROR: sync server cannot accept a client: Too many open files",
  );
  stop.abort();
});

Deno.test("run() closes the port and all clients when it is stopped", async () => {
  const { connect, listener, running, stop } = manualServer();
  const client = await connect();
  stop.abort();
  await running;
  assert.equal(listener.isClosed, true);
  assert.equal(client.isClosed, true);
});

Deno.test("a client that comes while the server stops is not left open", async () => {
  const coming = Promise.withResolvers<ManualStream>();
  const listener = Object.assign(new ManualListener(), {
    accept: () => coming.promise,
  });
  const stop = new AbortController();
  const running = new SyncServer({
    listeners: [listener],
    snapshot: () => [],
    delay: pause,
    every,
    log: unlimited(recordingLog()),
  }).run(stop.signal);
  const stream = new ManualStream();
  coming.resolve(stream);
  stop.abort();
  await running;
  assert.equal(stream.isClosed, true);
});

Deno.test("a sync server warns of every address that others can reach, but for TLS", async () => {
  const log = recordingLog();
  const bound: Place[] = [];
  let isProtected = false;
  const listen = (local: Place) => {
    bound.push(local);
    return {
      ...{ local, isProtected },
      accept: () => Promise.reject(new Error()),
      close() {},
    };
  };
  const lookup = () =>
    Promise.resolve(["127.0.0.2", "::1", "192.0.2.1"].map(ipAddress));
  const serve = async (host: string) => {
    const listeners = await bindSync({ host, port: 2323 }, listen, lookup);
    for (const listener of listeners) announceSync(listener, log);
  };
  for (const host of ["127.0.0.1", "::", "0.0.0.0", "some.name"]) {
    await serve(host);
  }
  assert.equal(bound.length, 6);
  isProtected = true;
  await serve("::");
  const lines = log.lines.map((line) => line.replace(/: master keys.*/, ""));
  assert.deepEqual(lines, [
    "NOTICE: sync server listening on 127.0.0.1:2323",
    "NOTICE: sync server listening on [::]:2323",
    "WARNING: sync server on [::]:2323 can be reached from everywhere",
    "NOTICE: sync server listening on 0.0.0.0:2323",
    "WARNING: sync server on 0.0.0.0:2323 can be reached from everywhere",
    "NOTICE: sync server listening on 127.0.0.2:2323",
    "NOTICE: sync server listening on [::1]:2323",
    "NOTICE: sync server listening on 192.0.2.1:2323",
    "WARNING: sync server on 192.0.2.1:2323 can be reached from other hosts",
    "NOTICE: sync server listening on [::]:2323 with TLS",
  ]);
});

Deno.test("bindSync() says what cannot be bound, and leaves nothing open", async () => {
  let open = 0;
  const listen = (local: Place) => {
    if (endpointOf(local).address.family === 6) {
      throw new Error("Address already in use");
    }
    open++;
    return {
      ...{ local, isProtected: false },
      accept: () => Promise.reject(new Error()),
      close: () => open--,
    };
  };
  const lookup = () => Promise.resolve(["127.0.0.1", "::1"].map(ipAddress));
  await assert.rejects(
    bindSync({ host: "localhost", port: 2323 }, listen, lookup),
    {
      message:
        "Cannot listen for sync clients on [::1]:2323: Address already in use",
    },
  );
  assert.equal(open, 0);
  await assert.rejects(
    bindSync({ host: "no.name", port: 2323 }, listen, noName),
    { message: "Cannot listen for sync clients on no.name: unknown name" },
  );
});
