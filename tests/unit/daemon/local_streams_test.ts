import assert from "node:assert/strict";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { LocalStreams } from "../../../src/daemon/local_streams.ts";
import type { TcpStream } from "../../../src/sync/streams.ts";
import { until } from "../../../lab/until.ts";
import { settle } from "../../fakes/manual_clock.ts";
import { ipAddress } from "../../samples/routes.ts";

const never = new AbortController().signal;

/** Registers a test that may open streams, which are closed afterwards. */
function streamTest(
  name: string,
  body: (streams: LocalStreams) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const libc = openProcessLibc();
    {
      await using streams = new LocalStreams(libc);
      await body(streams);
    }
    libc.close();
  });
}

const at = (address: string, port = 0) => {
  return { address: ipAddress(address), port };
};

for (
  const [listens, connects] of [
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    // Shown as an address of IPv4.
    ["::", "127.0.0.1"],
  ] as const
) {
  streamTest(
    `who comes to ${listens} from ${connects} is served and known`,
    async (streams) => {
      const listener = streams.listenTcp(at(listens));
      assert.deepEqual(listener.local.address, ipAddress(listens));
      const { port } = listener.local;
      const client = await streams.connectTcp(at(connects, port), never);
      const stream = await listener.accept();
      assert.deepEqual(stream.remote, client.local);
      assert.deepEqual(stream.local, client.remote);
      assert.equal(await client.write(Uint8Array.of(1, 2)), 2);
      const into = new Uint8Array(9);
      assert.equal(await stream.read(into), 2);
      assert.deepEqual(into.subarray(0, 3), Uint8Array.of(1, 2, 0));
      await stream.write(Uint8Array.of(7));
      stream.close();
      stream.close();
      assert.equal(await client.read(into), 1);
      assert.equal(await client.read(into), null);
      for (const each of [client, listener]) each.close();
    },
  );
}

streamTest(
  "who connects to nobody is refused, and who is called back connects no more",
  async (streams) => {
    const listener = streams.listenTcp(at("127.0.0.1"));
    const { port } = listener.local;
    listener.close();
    await assert.rejects(
      streams.connectTcp(at("127.0.0.1", port), never),
      (error) =>
        error instanceof Error && "code" in error &&
        error.code === "ECONNREFUSED",
    );
    // A network without a host: it waits, unless there is no way there.
    const abort = new AbortController();
    const waiting = streams.connectTcp(at("192.0.2.99", 9), abort.signal);
    abort.abort();
    await assert.rejects(waiting);
  },
);

streamTest(
  "one that listens later has its port, and refuses others until it is told to",
  async (streams) => {
    const listener = streams.listenTcp(at("127.0.0.1"), true);
    const there = at("127.0.0.1", listener.local.port);
    await assert.rejects(streams.connectTcp(there, never), /refused/);
    const late = streams.listenTcp(there, true);
    for (let twice = 0; twice < 2; twice++) listener.listen();
    assert.throws(() => late.listen(), {
      message: "Address already in use by another program",
    });
    const client = await streams.connectTcp(there, never);
    const stream = await listener.accept();
    assert.deepEqual(stream.remote, client.local);
    for (const each of [stream, client, listener, late]) each.close();
    const closed = streams.listenTcp(at("127.0.0.1"), true);
    closed.close();
    closed.listen();
    await assert.rejects(closed.accept(), /it is closed/);
  },
);

streamTest("a port that is taken is told in words", async (streams) => {
  const listener = streams.listenTcp(at("127.0.0.1"));
  const { port } = listener.local;
  assert.throws(() => streams.listenTcp(at("127.0.0.1", port)), {
    message: "Address already in use by another program",
  });
  const waiting = listener.accept();
  await settle();
  listener.close();
  await assert.rejects(waiting, {
    message: `Cannot accept at TCP port ${port}: it is closed`,
  });
  // And at once, whatever is left of earlier connections.
  streams.listenTcp(at("127.0.0.1", port)).close();
  assert.throws(() => streams.listenTcp(at("192.0.2.99")), {
    message: "no interface of this host has this address",
  });
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Writes for as long as the other end takes more. */
async function fill(
  stream: TcpStream,
): Promise<{ readonly writing: Promise<never> }> {
  let count = 0;
  const writing = (async () => {
    for (;;) count += await stream.write(new Uint8Array(1 << 16));
  })();
  // Whoever looks at it may come later.
  writing.catch(() => {});
  for (let before = -1; before < count;) {
    before = count;
    for (let k = 0; k < 20; k++) await turn();
  }
  return { writing };
}

streamTest("close() lets go of one that does not read", async (streams) => {
  const listener = streams.listenTcp(at("127.0.0.1"));
  const client = await streams.connectTcp(
    at("127.0.0.1", listener.local.port),
    never,
  );
  const stream = await listener.accept();
  const { writing } = await fill(stream);
  const reading = stream.read(new Uint8Array(9));
  await settle();
  stream.close();
  await assert.rejects(writing, /Cannot write to a TCP socket: it is closed/);
  await assert.rejects(reading, /Cannot read from a TCP socket: it is closed/);
  const owner = streams.openOwners();
  // A wait in the pool may keep the socket a moment longer.
  await until(
    "the kernel has let go of it",
    20,
    () => owner(stream.local, stream.remote) === undefined,
  );
  for (const each of [client, listener]) each.close();
});

streamTest(
  "who sends without an end does not keep others waiting",
  async (streams) => {
    const listener = streams.listenTcp(at("127.0.0.1"));
    const client = await streams.connectTcp(
      at("127.0.0.1", listener.local.port),
      never,
    );
    const stream = await listener.accept();
    await client.write(new Uint8Array(1 << 15));
    let count = 0;
    const reading = (async () => {
      const into = new Uint8Array(1);
      while (await stream.read(into) !== null) count++;
    })();
    // What is done at once would be done by now.
    await turn();
    assert.ok(count < 1 << 15, `${count} bytes were read in one go`);
    client.close();
    await reading;
    assert.equal(count, 1 << 15);
    for (const each of [stream, listener]) each.close();
  },
);
