import { strict as assert } from "node:assert";
import { effectiveUser } from "../../../ffi/process/identity.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { LocalStreams } from "../../../src/daemon/local_streams.ts";
import type { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import type { Endpoint } from "../../../src/net/endpoint.ts";
import { every } from "../../../src/net/every.ts";
import { SyncClient } from "../../../src/sync/client.ts";
import { connectTcp } from "../../../lab/deno_tcp.ts";
import { listenTcp } from "../../../lab/deno_listener.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { KnownMembers } from "../../../src/sync/known_members.ts";
import { connectWithin, listenWithin } from "../../../src/sync/loopback.ts";
import type { SyncStream, TcpStream } from "../../../src/sync/streams.ts";
import { SyncServer } from "../../../src/sync/server.ts";
import {
  type ConnectCarriers,
  connectFor,
  type ListenCarriers,
  listenFor,
  type SyncTrust,
} from "../../../src/sync/transport.ts";
import { connectUnix, listenUnix } from "../../../src/sync/unix.ts";
import { identityOf, tlsTest } from "../../../lab/certificates.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { ipAddress } from "../../samples/routes.ts";
import { routeRecord } from "../../samples/sync_records.ts";
import {
  endpointOf,
  ManualListener,
  ManualStream,
  pause,
  readText,
  unlimited,
} from "../../fakes/sync_streams.ts";

const never = new AbortController().signal;

/** The user that the program runs as. */
const SELF = 1000;
const NOBODY = 65534;

const endpoint = (host: string, port: number): Endpoint => ({
  address: ipAddress(host),
  port,
});
/** What a listener of clients has around it. */
function surroundingsWith(log: RateLimitedLog) {
  return { members: new KnownMembers(), delay: pause, now: () => 0, log };
}

const SERVER = endpoint("127.0.0.1", 2323);
const CLIENT = endpoint("127.0.0.1", 40000);

/** A stream between two places. */
class PlacedStream extends ManualStream {
  override readonly remote: Endpoint;
  override readonly local: Endpoint;

  constructor(local: Endpoint, remote: Endpoint) {
    super();
    this.local = local;
    this.remote = remote;
  }
}

/** What the kernel tells, by port: a user, nobody at all, or nothing. */
class Kernel {
  readonly asked: number[] = [];
  readonly owners = new Map<number, number | Error>([
    [SERVER.port, SELF],
    [CLIENT.port, SELF],
  ]);

  readonly users = {
    effectiveUser: () => SELF,
    ownerOf: (end: Endpoint) => {
      this.asked.push(end.port);
      const owner = this.owners.get(end.port);
      if (owner instanceof Error) throw owner;
      return owner;
    },
  };
}

/** A server on loopback whose clients are made by the test. */
function serving() {
  const kernel = new Kernel();
  const log = recordingLog();
  const plain = new ManualListener<TcpStream>();
  const listen = listenWithin(() => plain, kernel.users, unlimited(log));
  const listener = listen(SERVER);
  kernel.asked.length = 0;
  const admitted: SyncStream[] = [];
  const offer = async (remote = CLIENT, local = SERVER) => {
    const stream = new PlacedStream(local, remote);
    plain.offer(stream);
    await settle();
    return stream;
  };
  const accepting = (async () => {
    for (;;) admitted.push(await listener.accept());
  })().catch(() => {});
  return { kernel, log, listener, admitted, offer, accepting };
}

Deno.test("a server lets in root and its own user over loopback, and nobody else", async () => {
  const { kernel, log, listener, admitted, offer, accepting } = serving();
  for (const uid of [0, SELF, NOBODY, SELF + 1]) {
    kernel.owners.set(CLIENT.port, uid);
    const stream = await offer();
    const isIn = uid === 0 || uid === SELF;
    assert.equal(stream.isClosed, !isIn);
    assert.equal(stream.written, "");
  }
  assert.deepEqual(admitted.map(({ uid }) => uid), [0, SELF]);
  assert.deepEqual(log.lines, [
    "WARNING: sync client 127.0.0.1:40000 refused: it belongs to user 65534, and only root and user 1000 are trusted (unless --sync-any-user)",
    "WARNING: sync client 127.0.0.1:40000 refused: it belongs to user 1001, and only root and user 1000 are trusted (unless --sync-any-user)",
  ]);
  listener.close();
  await accepting;
});

Deno.test("a client without a process at its end is refused, whoever seems to own it", async () => {
  const { kernel, log, listener, admitted, offer, accepting } = serving();
  kernel.owners.delete(CLIENT.port);
  assert.equal((await offer()).isClosed, true);
  // Its connection is gone, and somebody else may have made the same again.
  kernel.owners.set(CLIENT.port, 0);
  for (const self of [undefined, 0, NOBODY]) {
    if (self === undefined) kernel.owners.delete(SERVER.port);
    else kernel.owners.set(SERVER.port, self);
    assert.equal((await offer()).isClosed, true);
  }
  assert.deepEqual(admitted, []);
  assert.equal(log.lines.length, 4);
  listener.close();
  await accepting;
});

Deno.test("clients of other hosts are nobody's on this one, those of loopback are looked at", async () => {
  const { kernel, listener, admitted, offer, accepting } = serving();
  const far = endpoint("192.0.2.1", 2323);
  await offer(endpoint("192.0.2.9", 9), far);
  assert.deepEqual(kernel.asked, []);
  assert.deepEqual(admitted.map(({ uid }) => uid), [undefined]);
  for (
    const [remote, local] of [
      ["127.9.9.9", "127.0.0.1"],
      ["::1", "::1"],
      ["::ffff:127.0.0.2", "::ffff:127.0.0.1"],
      // A local address that is none of loopback may be at the other end.
      ["192.0.2.1", "127.0.0.1"],
      ["127.0.0.1", "192.0.2.1"],
    ] as const
  ) {
    kernel.owners.set(CLIENT.port, NOBODY);
    const stream = await offer(
      endpoint(remote, CLIENT.port),
      endpoint(local, SERVER.port),
    );
    assert.equal(stream.isClosed, true, remote);
  }
  listener.close();
  await accepting;
});

Deno.test("where the kernel does not tell, nobody on this host is let in, and no port of loopback opened", async () => {
  const { kernel, log, listener, admitted, offer, accepting } = serving();
  kernel.owners.set(CLIENT.port, new Error("the kernel is silent"));
  assert.equal((await offer()).isClosed, true);
  assert.deepEqual(admitted, []);
  assert.match(log.lines[0] ?? "", /refused: the kernel is silent/);
  listener.close();
  await accepting;

  const carriers = {
    ...{ listenTcp, connectTcp, delay: pause, effectiveUser: () => SELF },
    openUnixStreams: () => {
      throw new Error("no unix sockets here");
    },
    openOwners: () => {
      throw new Error("Cannot ask");
    },
  };
  const trust = { syncTls: undefined, syncAnyUser: false };
  const listen = await listenFor(
    trust,
    carriers,
    undefined,
    surroundingsWith(unlimited(log)),
  );
  const expected = {
    message: "Cannot ask, so no user of this host is trusted " +
      "(unless --sync-any-user)",
  };
  assert.throws(() => listen(SERVER), expected);
  const anybody = listenTcp(endpoint("127.0.0.1", 0));
  const connect = await connectFor(trust, carriers, []);
  await assert.rejects(connect(anybody.local, never), expected);
  (await anybody.accept()).close();
  anybody.close();
});

/** A client on loopback whose server is made by the test. */
function connecting() {
  const kernel = new Kernel();
  const clock = new ManualClock();
  const stream = new PlacedStream(CLIENT, SERVER);
  const connect = connectWithin(
    () => Promise.resolve(stream),
    kernel.users,
    clock.delay,
  );
  const begin = (signal = never) => {
    const connecting = connect(SERVER, signal);
    // Whoever looks at it may come later.
    connecting.catch(() => {});
    return connecting;
  };
  return { kernel, clock, stream, begin };
}

Deno.test("a client believes a server of root and its own user over loopback, and of nobody else", async () => {
  for (const uid of [0, SELF, NOBODY]) {
    const { kernel, stream, begin } = connecting();
    kernel.owners.set(SERVER.port, uid);
    if (uid === NOBODY) {
      await assert.rejects(begin(), {
        message:
          "it belongs to user 65534, and only root and user 1000 are trusted (unless --sync-any-user)",
      });
    } else assert.equal((await begin()).uid, uid);
    assert.equal(stream.isClosed, uid === NOBODY);
  }
});

Deno.test("a client waits until the server has accepted, but not for long", async () => {
  const { kernel, clock, begin } = connecting();
  kernel.owners.delete(SERVER.port);
  const connection = begin();
  await clock.pass(1000);
  kernel.owners.set(SERVER.port, 0);
  await clock.pass(1000);
  assert.equal((await connection).uid, 0);

  const never = connecting();
  never.kernel.owners.delete(SERVER.port);
  const refused = never.begin();
  for (let i = 0; i < 200; i++) await never.clock.pass(100);
  await assert.rejects(refused, {
    message: "no process accepts the connection",
  });
  assert.equal(never.stream.isClosed, true);

  const { kernel: silent, stream, begin: beginAgain } = connecting();
  silent.owners.delete(SERVER.port);
  const stop = new AbortController();
  const stopped = beginAgain(stop.signal);
  stop.abort();
  await assert.rejects(stopped);
  assert.equal(stream.isClosed, true);
});

/** What carries streams for real, as long as the test lasts. */
async function withCarriers(
  body: (carriers: ListenCarriers & ConnectCarriers) => Promise<void>,
): Promise<void> {
  const libc = openProcessLibc();
  try {
    await using streams = new LocalStreams(libc);
    await body({
      ...{ listenTcp, connectTcp, delay: pause },
      openUnixStreams: () => streams.openUnixStreams(),
      openOwners: () => streams.openOwners(),
      effectiveUser: () => effectiveUser(libc),
    });
  } finally {
    libc.close();
  }
}

Deno.test("both sides look at each other at the same time, and let each other in", () =>
  withCarriers(async (carriers) => {
    const trust = { syncTls: undefined, syncAnyUser: false };
    const log = recordingLog();
    const listen = await listenFor(trust, carriers, undefined, {
      members: new KnownMembers(),
      delay: pause,
      now: () => 0,
      log: unlimited(log),
    });
    const connect = await connectFor(trust, carriers, []);
    for (
      const [listening, to] of [["127.0.0.1"], ["::1"], ["::", "127.0.0.1"]]
    ) {
      const listener = listen(endpoint(listening ?? "", 0));
      const { port } = endpointOf(listener.local);
      const [far, near] = await Promise.all([
        listener.accept(),
        connect(endpoint(to ?? listening ?? "", port), never),
      ]);
      assert.deepEqual([far.uid, near.uid], [Deno.uid(), Deno.uid()]);
      await far.write(new TextEncoder().encode("keys"));
      assert.equal(await readText(near, 4), "keys");
      for (const each of [far, near, listener]) each.close();
    }
    assert.deepEqual(log.lines, []);
  }));

Deno.test("a client follows a server through a unix socket", () =>
  withCarriers(async (carriers) => {
    const folder = Deno.makeTempDirSync();
    const place = { path: `${folder}/socket` };
    const trust = { syncTls: undefined, syncAnyUser: false };
    const log = recordingLog();
    const listen = await listenFor(trust, carriers, undefined, {
      members: new KnownMembers(),
      delay: pause,
      now: () => 0,
      log: unlimited(log),
    });
    const listener = listen(place);
    const stop = new AbortController();
    const record = routeRecord("10.0.0.0/8", 5);
    const many = Array(5000).fill(encodeRecord(record));
    const server = new SyncServer({
      listeners: [listener],
      snapshot: () => many,
      delay: pause,
      every,
      log: unlimited(log),
    });
    let taken = 0;
    const { promise: all, resolve: isAll } = Promise.withResolvers<void>();
    const client = new SyncClient({
      server: place,
      apply: () => ++taken === many.length + 1 && isAll(),
      connect: await connectFor(trust, carriers, [place]),
      lookup: () => Promise.reject(new Error("no names here")),
      delay: pause,
      now: () => performance.now(),
      log,
    });
    const running = [server.run(stop.signal), client.run(stop.signal)];
    while (taken < many.length) await pause(1);
    server.push(encodeRecord(record));
    await all;
    const lines = log.lines.toSorted();
    stop.abort();
    await Promise.all(running);
    assert.deepEqual(lines, [
      `INFO: new sync client connected from unix:${place.path}`,
      `NOTICE: sync: connected to unix:${place.path}`,
    ]);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    Deno.removeSync(folder);
  }));

Deno.test("neither end of a unix socket believes another user", async () => {
  const path = { path: "/run/socket" };
  const ends = [0, SELF, NOBODY].map((uid) =>
    Object.assign(new ManualStream(), { remote: path, uid })
  );
  const [root, self, nobody] = ends;
  assert.ok(root && self && nobody);
  const coming = [...ends];
  const next = () => {
    const stream = coming.shift();
    if (stream === undefined) throw new Error("closed");
    return stream;
  };
  const streams = {
    listen: () => ({
      ...{ local: path, isProtected: false },
      accept: () => Promise.resolve().then(next),
      close() {},
    }),
    connect: next,
  };
  const log = recordingLog();
  const effectiveUser = () => SELF;
  const listener = listenUnix(
    streams,
    undefined,
    effectiveUser,
    unlimited(log),
  )(path);
  assert.equal(await listener.accept(), root);
  assert.equal(await listener.accept(), self);
  await assert.rejects(listener.accept(), { message: "closed" });
  assert.equal(nobody.isClosed, true);
  assert.deepEqual(log.lines, [
    "WARNING: sync client unix:/run/socket refused: it belongs to user 65534, and only root and user 1000 are trusted",
  ]);
  nobody.isClosed = false;
  coming.push(...ends);
  assert.equal(connectUnix(streams, path, effectiveUser), root);
  assert.equal(connectUnix(streams, path, effectiveUser), self);
  assert.throws(() => connectUnix(streams, path, effectiveUser), {
    message:
      "it belongs to user 65534, and only root and user 1000 are trusted",
  });
  assert.equal(nobody.isClosed, true);
});

/** What may carry streams where the kernel says that all are of nobody. */
function ofNobody() {
  return {
    ...{ listenTcp, connectTcp, delay: pause, effectiveUser: () => SELF },
    openUnixStreams: () => {
      throw new Error("no unix sockets here");
    },
    openOwners: () => () => NOBODY,
  };
}

/** Both ends of a stream find each other, whoever they are of. */
async function meet(trust: SyncTrust): Promise<void> {
  const log = unlimited(recordingLog());
  const listen = await listenFor(
    trust,
    ofNobody(),
    undefined,
    surroundingsWith(log),
  );
  const connect = await connectFor(trust, ofNobody(), []);
  const listener = listen(endpoint("127.0.0.1", 0));
  const ends = await Promise.all([
    listener.accept(),
    connect(listener.local, never),
  ]);
  for (const each of [...ends, listener]) each.close();
}

Deno.test("--sync-any-user lets in every user over TCP, on both sides", async () => {
  await meet({ syncTls: undefined, syncAnyUser: true });
});

tlsTest("with certificates it does not matter whose a socket is", async () => {
  await meet({ syncTls: identityOf("shared", "shared"), syncAnyUser: false });
});
