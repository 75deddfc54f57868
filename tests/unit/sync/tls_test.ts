import { strict as assert } from "node:assert";
import { connect as tlsConnect, type ConnectionOptions } from "node:tls";
import type { Logger } from "../../../src/log/logger.ts";
import type { Endpoint } from "../../../src/net/endpoint.ts";
import { connectTcp } from "../../../lab/deno_tcp.ts";
import { listenTcp } from "../../../lab/deno_listener.ts";
import { every } from "../../../src/net/every.ts";
import type { HandshakeLimits } from "../../../src/sync/handshake_limiter.ts";
import { KnownMembers } from "../../../src/sync/known_members.ts";
import type { Connect, SyncStream } from "../../../src/sync/streams.ts";
import { SyncServer } from "../../../src/sync/server.ts";
import { connectTls, listenTls } from "../../../src/sync/tls.ts";
import type { TlsIdentity } from "../../../src/sync/tls_identity.ts";
import type { Surroundings } from "../../../src/sync/tls_listener.ts";
import { identityOf, tlsTest } from "../../../lab/certificates.ts";
import { until } from "../../../lab/until.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { ipAddress } from "../../samples/routes.ts";
import { pause, readText, unlimited } from "../../fakes/sync_streams.ts";

const never = new AbortController().signal;
const LOOPBACK = { address: ipAddress("127.0.0.1"), port: 0 };
const SHARED = identityOf("shared", "shared");
const ALERT = String.fromCharCode(21, 3);
const TABLES = "the keys of everybody";

function surroundings(log: Logger): Surroundings {
  return {
    members: new KnownMembers(),
    delay: pause,
    now: () => performance.now(),
    log: unlimited(log),
  };
}

/** A server with TLS that sends its tables to whoever gets in. */
async function withServer(
  identity: TlsIdentity,
  body: (rig: {
    readonly at: Endpoint;
    readonly server: SyncServer;
    /** The log, without the ports of clients. */
    readonly lines: () => string[];
  }) => Promise<void>,
  { tables = TABLES, ...limits }:
    & Partial<HandshakeLimits>
    & { tables?: string } = {},
): Promise<void> {
  const log = recordingLog();
  const stop = new AbortController();
  const listen = listenTls(listenTcp, identity, surroundings(log), limits);
  const listener = listen(LOOPBACK);
  const server = new SyncServer({
    listeners: [listener],
    snapshot: () => [tables],
    delay: pause,
    every,
    log: unlimited(log),
  });
  const running = server.run(stop.signal);
  const lines = () => log.lines.map((line) => line.replaceAll(/:\d+\b/g, ""));
  try {
    await body({ at: listener.local, server, lines });
  } finally {
    stop.abort();
    await running;
  }
}

function dial(identity: TlsIdentity, at: Endpoint): Promise<SyncStream> {
  return connectTls(connectTcp, identity)(at, never);
}

/**
 * A member is let in, and gets the tables. Where the machine is too busy for
 * its limits it comes again, as members do.
 */
async function getsIn(identity: TlsIdentity, at: Endpoint): Promise<void> {
  await until("a member is let in", 30, async () => {
    const text = await dial(identity, at).then(async (client) => {
      const text = await readText(client, TABLES.length).catch(() => "");
      client.close();
      return text;
    }, () => "");
    assert.ok(TABLES.startsWith(text), text);
    return text === TABLES;
  });
}

/** All that comes until the end. */
async function everything(stream: SyncStream): Promise<string> {
  const text = await readText(stream, Infinity).catch(() => "");
  stream.close();
  return text;
}

for (
  const [name, ours, theirs] of [
    ["the same certificate", SHARED, SHARED],
    ["certificates of one authority", identityOf("alice"), identityOf("bob")],
  ] as const
) {
  tlsTest(
    `both ways lead through TLS between members with ${name}`,
    () =>
      withServer(ours, async ({ at, server, lines }) => {
        const client = await dial(theirs, at);
        assert.equal(await readText(client, TABLES.length), TABLES);
        server.push("changed");
        assert.equal(await readText(client, 7), "changed");
        assert.deepEqual(client.remote, at);
        client.close();
        await until("it is gone", 30, () => lines().length === 2);
        assert.deepEqual(lines(), [
          "INFO: new sync client connected from 127.0.0.1",
          "DEBUG: sync client 127.0.0.1 is gone",
        ]);
      }),
  );
}

tlsTest("large tables arrive whole", async () => {
  const tables = "0123456789".repeat(500_000);
  await withServer(SHARED, async ({ at }) => {
    const client = await dial(SHARED, at);
    assert.equal(await readText(client, tables.length), tables);
    client.close();
  }, { tables });
});

tlsTest("a client learns that the server is gone", async () => {
  let rest: Promise<string> | undefined;
  await withServer(SHARED, async ({ at }) => {
    const client = await dial(SHARED, at);
    assert.equal(await readText(client, TABLES.length), TABLES);
    rest = everything(client);
  });
  assert.equal(await rest, "");
});

const MEMBER = identityOf("alice");
for (
  const [who, ours, theirs] of [
    ["another authority of the same name", MEMBER, identityOf("intruder")],
    ["nobody", MEMBER, identityOf("unknown")],
    ["the past", MEMBER, identityOf("expired")],
    ["another one of the same name", SHARED, identityOf("unknown", "shared")],
  ] as const
) {
  tlsTest(
    `a client with a certificate of ${who} gets nothing`,
    () =>
      withServer(ours, async ({ at, lines }) => {
        const text = await dial(theirs, at).then(everything, () => "");
        assert.equal(text, "");
        await until("it is said", 30, () => lines().length > 0);
        assert.match(
          lines().join(),
          /^WARNING: sync client 127\.0\.0\.1 refused: its certificate is refused \([A-Z_]+\)$/,
        );
      }),
  );
}

/** What a client by hand gets at first, which need not keep to our rules. */
function handMadeClient(
  at: Endpoint,
  options: ConnectionOptions,
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = tlsConnect({
    host: "127.0.0.1",
    port: at.port,
    ca: identityOf("alice").authority,
    checkServerIdentity: () => undefined,
    ...options,
  });
  socket.on("data", (bytes) => resolve(new TextDecoder().decode(bytes)));
  socket.on("error", () => resolve(""));
  socket.on("close", () => resolve(""));
  return promise.finally(() => socket.destroy());
}

tlsTest(
  "a client without a certificate gets nothing",
  () =>
    withServer(MEMBER, async ({ at, lines }) => {
      assert.equal(await handMadeClient(at, {}), "");
      await until("it is said", 30, () => lines().length > 0);
      assert.match(lines().join(), /^WARNING: .* refused: .*no certificate/);
    }),
);

tlsTest(
  "a client with an older TLS gets nothing, whatever it shows",
  () =>
    withServer(MEMBER, async ({ at, lines }) => {
      const { certificate: cert, key } = identityOf("bob");
      const maxVersion = "TLSv1.2" as const;
      assert.equal(await handMadeClient(at, { cert, key, maxVersion }), "");
      await until("it is said", 30, () => lines().length > 0);
      assert.match(lines().join(), /^WARNING: sync client .* refused: /);
      // The same certificate is right otherwise.
      assert.equal(await handMadeClient(at, { cert, key }), TABLES);
    }),
);

tlsTest(
  "a client that does not use TLS sees not a byte of the tables",
  () =>
    withServer(SHARED, async ({ at, lines }) => {
      const client = await connectTcp(at, never);
      await client.write(new TextEncoder().encode("hello"));
      const bytes = await everything(client);
      // An alert, if anything: 7 bytes that begin so (RFC 8446 section 5.1).
      assert.ok(bytes === "" || bytes.length === 7 && bytes.startsWith(ALERT));
      await until("it is said", 30, () => lines().length > 0);
      assert.deepEqual(lines(), [
        "WARNING: sync client 127.0.0.1 refused: it does not use TLS",
      ]);
    }),
);

tlsTest(
  "a client that says nothing is given up after a while",
  () =>
    withServer(SHARED, async ({ at, lines }) => {
      const client = await connectTcp(at, never);
      assert.equal(await everything(client), "");
      assert.deepEqual(lines(), [
        "WARNING: sync client 127.0.0.1 refused: it sent nothing; perhaps it does not use TLS",
      ]);
    }, { silentMs: 100 }),
);

tlsTest(
  "those who come only to block the way do not",
  () =>
    withServer(SHARED, async ({ at, lines }) => {
      const silent: SyncStream[] = [];
      for (let i = 0; i < 20; i++) silent.push(await connectTcp(at, never));
      await getsIn(SHARED, at);
      const refused = lines().filter((line) => line.startsWith("WARNING"));
      assert.ok(refused.length >= 20 - 3, refused.join("\n"));
      for (const stream of silent) stream.close();
    }, { maxSilent: 3 }),
);

for (
  const [what, ours, theirs] of [
    ["another authority of the same name", MEMBER, identityOf("intruder")],
    ["nobody", MEMBER, identityOf("unknown")],
    ["the past", MEMBER, identityOf("expired")],
    ["another one of the same name", SHARED, identityOf("unknown", "shared")],
  ] as const
) {
  tlsTest(
    `a client does not listen to a server with a certificate of ${what}`,
    () =>
      withServer(theirs, async ({ at, lines }) => {
        // A server that is kept busy breaks off before it has shown any.
        await until("its certificate is refused", 30, async () => {
          const refusal: unknown = await dial(ours, at)
            .then(() => assert.fail("it is believed"), (error) => error);
          return /certificate/.test(`${refusal}`);
        });
        await until("it is said", 30, () => lines().length > 0);
        assert.match(lines().join(), /refuses the certificate of this side/);
      }, { handshakeMs: 200 }),
  );
}

tlsTest("a client notices that the server does not use TLS", async () => {
  const listener = listenTcp(LOOPBACK);
  const dialing = dial(SHARED, listener.local);
  const stream = await listener.accept();
  await stream.write(new TextEncoder().encode("00069 22 serialization"));
  await assert.rejects(dialing, { message: "it does not use TLS" });
  stream.close();
  listener.close();
});

tlsTest("a handshake that takes too long ends with its signal", async () => {
  const listener = listenTcp(LOOPBACK);
  const tooLate = new AbortController();
  const dialing = connectTls(connectTcp, SHARED)(
    listener.local,
    tooLate.signal,
  );
  const stream = await listener.accept();
  assert.notEqual(await readText(stream, 1), "", "its hello");
  tooLate.abort();
  await assert.rejects(dialing);
  assert.equal(await everything(stream), "");
  stream.close();
  listener.close();
});

tlsTest(
  "a listener that is closed lets nobody in, finished or not",
  async () => {
    const log = recordingLog();
    const listen = listenTls(listenTcp, SHARED, surroundings(log));
    const listener = listen(LOOPBACK);
    const accepting = listener.accept();
    accepting.catch(() => {});
    const silent = await connectTcp(listener.local, never);
    await pause(20);
    listener.close();
    await assert.rejects(accepting);
    assert.equal(await everything(silent), "");
    assert.deepEqual(log.lines, []);
  },
);

tlsTest(
  "a client that reads slowly is dropped inside of TLS, too",
  async () => {
    let isReading = true;
    const connectSlowly: Connect<Endpoint> = async (to, signal) => {
      const stream = await connectTcp(to, signal);
      return {
        remote: to,
        read: (into) => isReading ? stream.read(into) : new Promise(() => {}),
        write: (bytes) => stream.write(bytes),
        close: () => stream.close(),
      };
    };
    await withServer(SHARED, async ({ at, server, lines }) => {
      const client = await connectTls(connectSlowly, SHARED)(at, never);
      assert.equal(await readText(client, TABLES.length), TABLES);
      isReading = false;
      const isDropped = () =>
        lines().some((line) => /reads too slowly/.test(line));
      const record = "x".repeat(60_000);
      for (let sent = 0; !isDropped() && sent < 1000; sent++) {
        server.push(record);
        await pause(1);
      }
      assert.ok(isDropped(), "within 60 MB");
      client.close();
    });
  },
);

tlsTest(
  "garbage in the form of TLS does no harm",
  () =>
    withServer(SHARED, async ({ at, lines }) => {
      for (let size = 0; size < 40; size++) {
        const client = await connectTcp(at, never);
        const record = crypto.getRandomValues(new Uint8Array(5 + size));
        record.set([22, 3, size % 5, 0, size % 2 === 0 ? size : 255 - size]);
        await client.write(record);
        if (size % 3 === 0) client.close();
        else everything(client);
      }
      await until("all are refused", 30, () => lines().length === 40);
      for (const line of lines()) {
        assert.match(line, /^WARNING: sync client 127\.0\.0\.1 refused: /);
      }
      await getsIn(SHARED, at);
    }, { handshakeMs: 200, maxHandshakes: 64 }),
);
