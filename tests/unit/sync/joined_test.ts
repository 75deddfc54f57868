import { strict as assert } from "node:assert";
import { SyncServer } from "../../../src/sync/server.ts";
import { formatHello } from "../../../src/sync/extension.ts";
import type { Feed } from "../../../src/sync/feed.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import {
  ManualListener,
  SpeakingStream,
  unlimited,
} from "../../fakes/sync_streams.ts";

const EMPTY: Feed = {
  enter: () => ({ begin() {}, take: () => "", progress: () => "", close() {} }),
};

/** Keeps what it is told. */
class HearingStream extends SpeakingStream {
  heard = "";

  override write(bytes: Uint8Array = new Uint8Array()): Promise<number> {
    this.heard += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  }
}

Deno.test("a member that says hello is noticed, and an original is not", async () => {
  const listener = new ManualListener();
  const stop = new AbortController();
  let joined = 0;
  const server = new SyncServer({
    listeners: [listener],
    snapshot: () => [],
    feed: EMPTY,
    joined: () => joined++,
    log: unlimited(recordingLog()),
    delay: () => new Promise(() => {}),
    every: () => Promise.resolve(),
  });
  const running = server.run(stop.signal);
  const [member, original] = [new SpeakingStream(), new SpeakingStream()];
  for (const stream of [member, original]) listener.offer(stream);
  await settle();
  assert.equal(joined, 0);
  const from = "0123456789abcdef";
  member.say(formatHello({ from, known: undefined, revision: 0 }));
  original.say("00005 hello");
  await settle();
  await settle();
  assert.equal(joined, 1);
  for (const stream of [member, original]) stream.end();
  stop.abort();
  listener.close();
  await settle();
  await running;
});

Deno.test("clients may take 40 turns to say hello, however long they are, and all wait for the same", async () => {
  const listener = new ManualListener();
  const stop = new AbortController();
  const clock = new ManualClock();
  const server = new SyncServer({
    listeners: [listener],
    snapshot: () => ["for originals"],
    feed: EMPTY,
    log: unlimited(recordingLog()),
    delay: clock.delay,
    every: () => Promise.resolve(),
  });
  const running = server.run(stop.signal);
  const clients = [new HearingStream(), new HearingStream()];
  for (const stream of clients) listener.offer(stream);
  await settle();
  for (let turn = 0; turn < 40; turn++) {
    assert.deepEqual(clock.waiting, [5]);
    assert.deepEqual(clients.map(({ heard }) => heard), ["", ""]);
    await clock.pass(500);
  }
  assert.deepEqual(
    clients.map(({ heard }) => heard),
    ["for originals", "for originals"],
  );
  assert.deepEqual(clock.waiting, []);
  const late = new HearingStream();
  listener.offer(late);
  await settle();
  for (const stream of [...clients, late]) stream.end();
  stop.abort();
  listener.close();
  await settle();
  await running;
  assert.deepEqual(clock.waiting, []);
});

Deno.test("who has said hello is sent nothing of originals, however long the answer takes", async () => {
  const listener = new ManualListener();
  const stop = new AbortController();
  const clock = new ManualClock();
  const ready = Promise.withResolvers<void>();
  const server = new SyncServer({
    listeners: [listener],
    snapshot: () => ["for originals"],
    feed: { ...EMPTY, ready: () => ready.promise },
    log: unlimited(recordingLog()),
    delay: clock.delay,
    every: clock.every,
  });
  const running = server.run(stop.signal);
  const [member, original] = [new HearingStream(), new HearingStream()];
  for (const stream of [member, original]) listener.offer(stream);
  await settle();
  const from = "0123456789abcdef";
  member.say(formatHello({ from, known: undefined, revision: 0 }));
  for (let turn = 0; turn < 50; turn++) await clock.pass(5);
  assert.deepEqual([server.members, member.heard, original.heard], [
    ...[0, "", "for originals"],
  ]);
  server.say("kind", "before it has begun");
  ready.resolve();
  await settle();
  server.say("kind", "of now");
  await settle();
  assert.deepEqual([server.members, member.heard], [
    1,
    "00015 say kind of now",
  ]);
  for (const stream of [member, original]) stream.end();
  stop.abort();
  listener.close();
  await settle();
  await running;
});

Deno.test("a member is told each second how far it has come, until the server ends", async () => {
  const listener = new ManualListener();
  const stop = new AbortController();
  const clock = new ManualClock();
  let turns = 0;
  const progress = () => {
    turns++;
    return "";
  };
  const server = new SyncServer({
    listeners: [listener],
    snapshot: () => [],
    feed: {
      enter: () => ({ begin() {}, take: () => "", progress, close() {} }),
    },
    log: unlimited(recordingLog()),
    delay: clock.delay,
    every: clock.every,
  });
  const running = server.run(stop.signal);
  const member = new SpeakingStream();
  listener.offer(member);
  await settle();
  const from = "0123456789abcdef";
  member.say(formatHello({ from, known: undefined, revision: 0 }));
  await settle();
  for (let second = 1; second <= 3; second++) {
    await clock.pass(1000);
    assert.equal(turns, second);
  }
  stop.abort();
  listener.close();
  await running;
  await clock.pass(1000);
  assert.equal(turns, 3);
});
