import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import { POLLIN } from "../../../ffi/poll.ts";
import { Readiness } from "../../../ffi/net/readiness.ts";
import type { SocketLibc } from "../../../ffi/net/socket_libc.ts";
import { UnixListener } from "../../../ffi/net/unix_listener.ts";
import { connectUnix, type UnixStream } from "../../../ffi/net/unix_stream.ts";
import { settle } from "../../fakes/manual_clock.ts";
import { unixTest as test } from "../../fakes/unix_streams.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Reads once. */
async function textFrom(stream: UnixStream): Promise<string | null> {
  const chunk = new Uint8Array(1 << 16);
  const count = await stream.read(chunk);
  return count === null
    ? null
    : new TextDecoder().decode(chunk.subarray(0, count));
}

/** Writes until there is no room: the last write waits. */
async function fill(
  stream: UnixStream,
): Promise<{ readonly writing: Promise<number> }> {
  const chunk = new Uint8Array(1 << 16);
  for (;;) {
    let isDone = false;
    const writing = stream.write(chunk).finally(() => isDone = true);
    // Whoever looks at it may come later.
    writing.catch(() => {});
    await settle();
    if (!isDone) return { writing };
  }
}

test("bytes go both ways, and each end knows the user at the other one", async ({ pair }) => {
  const [near, far] = await pair();
  assert.equal(await near.write(bytes("hello")), 5);
  assert.equal(await textFrom(far), "hello");
  assert.equal(await far.write(bytes("yes")), 3);
  assert.equal(await textFrom(near), "yes");
  assert.deepEqual([near.uid, far.uid], [Deno.uid(), Deno.uid()]);
  for (const end of [near, far]) end.close();
});

test("a read waits for bytes, and for the end", async ({ pair }) => {
  const [near, far] = await pair();
  const reading = textFrom(near);
  await settle();
  await far.write(bytes("late"));
  assert.equal(await reading, "late");
  const ending = textFrom(near);
  await settle();
  await far.write(bytes("last"));
  far.close();
  assert.equal(await ending, "last");
  assert.equal(await textFrom(near), null);
  assert.equal(await textFrom(near), null);
  near.close();
});

test("a write waits until the other end has read", async ({ pair }) => {
  const [near, far] = await pair();
  const { writing } = await fill(near);
  let isDone = false;
  const count = writing.finally(() => isDone = true);
  while (!isDone) await textFrom(far);
  assert.ok(await count > 0);
  for (const end of [near, far]) end.close();
});

test("close() ends what waits at both ends, and may be called again", async ({ pair }) => {
  const [near, far] = await pair();
  const { writing } = await fill(near);
  const reading = textFrom(near);
  await settle();
  near.close();
  near.close();
  await assert.rejects(writing, /Cannot write to a unix socket: it is closed/);
  await assert.rejects(reading, /Cannot read from a unix socket: it is closed/);
  await assert.rejects(textFrom(near), /is closed/);
  while (await textFrom(far) !== null);
  await assert.rejects(far.write(bytes("x")), { code: "EPIPE" });
  far.close();
});

test("one thread waits for all streams, and none where nobody waits", async ({ libc, path }) => {
  const waits = { now: 0, most: 0, sum: 0 };
  const { pollInBackground } = libc.symbols;
  const watching: SocketLibc["symbols"] = {
    ...libc.symbols,
    async pollInBackground(...args) {
      waits.sum++;
      waits.most = Math.max(waits.most, ++waits.now);
      try {
        return await pollInBackground(...args);
      } finally {
        waits.now--;
      }
    },
  };
  const readiness = new Readiness({ ...libc, symbols: watching });
  const listener = new UnixListener(libc, readiness, path);
  const ends: (readonly [UnixStream, UnixStream])[] = [];
  for (let i = 0; i < 20; i++) {
    const near = connectUnix(libc, readiness, path);
    ends.push([near, await listener.accept()]);
  }
  assert.equal(waits.sum, 0, "there was nothing to wait for");
  const reading = ends.map(([near]) => textFrom(near));
  await settle();
  for (const [k, [, far]] of ends.entries()) await far.write(bytes(`${k}`));
  assert.deepEqual(await Promise.all(reading), ends.map((_, k) => `${k}`));
  assert.equal(waits.most, 1);
  for (const end of ends.flat()) end.close();
  listener.close();
  await readiness.close();
  assert.equal(waits.now, 0);
});

test("a number that is taken again does not inherit who waited for it", async ({ pair }) => {
  const [near, far] = await pair();
  const reading = textFrom(near);
  await settle();
  near.close();
  far.close();
  // Most likely the same numbers; whoever waits for them is another one.
  const [next, other] = await pair();
  const waiting = textFrom(next);
  await assert.rejects(reading, /is closed/);
  await settle();
  await other.write(bytes("for the new one"));
  assert.equal(await waiting, "for the new one");
  for (const end of [next, other]) end.close();
});

test("all that wait are told when the kernel refuses to wait", async ({ libc }) => {
  const failing: SocketLibc = {
    ...libc,
    symbols: {
      ...libc.symbols,
      poll: () => -1,
      pollInBackground: () => Promise.resolve(-1),
    },
    error: () => {
      throw Object.assign(new Error("refused"), { errno: Errno.ENOMEM });
    },
  };
  const readiness = new Readiness(failing);
  const waits = [readiness.until(0, POLLIN), readiness.until(1, POLLIN)];
  for (const wait of waits) await assert.rejects(wait, { message: "refused" });
  await readiness.close();
});

test("connecting fails where nobody listens", ({ path, connect }) => {
  assert.throws(connect, {
    message:
      `Cannot connect to '${path}': No such file or directory (connect(), ENOENT)`,
  });
  Deno.writeTextFileSync(path, "");
  assert.throws(connect, { code: "ECONNREFUSED" });
});
