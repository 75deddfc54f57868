import { strict as assert } from "node:assert";
import { inputStream, tableStream } from "../../../src/sync/table_stream.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { SpeakingStream } from "../../fakes/sync_streams.ts";

/** A server that takes what a client says, and a client that reads it. */
class Rig {
  readonly clock = new ManualClock();
  readonly stream = new SpeakingStream();
  readonly written: number[] = [];
  text = "";
  /** How it ended, once it has. */
  end: "end" | Error | undefined;

  constructor(options: { mayBeTls?: boolean; watch?: boolean } = {}) {
    const { mayBeTls = true, watch = false } = options;
    const { stream, written } = this;
    void this.#read(tableStream({
      stream: {
        read: (into) => stream.read(into),
        write(bytes) {
          written.push(...bytes);
          return Promise.resolve(bytes.length);
        },
      },
      ...{ mayBeTls, watch, delay: this.clock.delay },
    }));
  }

  async #read(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of chunks) {
        this.text += new TextDecoder().decode(chunk);
      }
      this.end = "end";
    } catch (error) {
      if (error instanceof Error) this.end = error;
    }
  }
}

const REFUSED = /it speaks TLS, or refuses .* --sync-tls-cert/;

Deno.test("a server that has spoken has said all after a second of silence", async () => {
  const rig = new Rig();
  for (const text of ["some", ", more"]) {
    rig.stream.say(text);
    await settle();
    await rig.clock.pass(999);
  }
  assert.equal(rig.end, undefined);
  await rig.clock.pass(1);
  assert.deepEqual([rig.text, rig.end], ["some, more", "end"]);
  assert.deepEqual(rig.written, []);
});

Deno.test("a server that says nothing is asked whether it speaks TLS", async () => {
  const rig = new Rig();
  await rig.clock.pass(999);
  assert.deepEqual(rig.written, []);
  await rig.clock.pass(1);
  assert.deepEqual(rig.written.slice(0, 2), [21, 3], "an alert of TLS");
  await rig.clock.pass(2999);
  assert.equal(rig.end, undefined);
  await rig.clock.pass(1);
  assert.deepEqual([rig.text, rig.end], ["", "end"], "it knows nothing");
});

Deno.test("a server that closes without a byte is no server that knows nothing", async () => {
  for (const how of ["end", new Error("reset by peer")] as const) {
    for (const watch of [false, true]) {
      for (const after of [0, 1000]) {
        const rig = new Rig({ watch });
        await rig.clock.pass(after);
        rig.stream.end(how);
        await settle();
        assert.match(String(rig.end), REFUSED);
      }
    }
  }
});

Deno.test("a server that cannot speak TLS is not asked, but may refuse", async () => {
  const silent = new Rig({ mayBeTls: false });
  await silent.clock.pass(1000);
  assert.deepEqual([silent.written, silent.end], [[], "end"]);
  const closed = new Rig({ mayBeTls: false });
  closed.stream.end();
  await settle();
  assert.match(String(closed.end), /it closes the connection without a word/);
});

Deno.test("a connection that breaks later does so in its own words", async () => {
  const rig = new Rig();
  rig.stream.say("some");
  await settle();
  rig.stream.end(new Error("reset by peer"));
  await settle();
  assert.match(String(rig.end), /^Error: reset by peer$/);
});

Deno.test("who watches waits for ever, for the first word and for others", async () => {
  const rig = new Rig({ watch: true });
  await rig.clock.pass(1000);
  assert.equal(rig.written.length, 7);
  await rig.clock.pass(100_000);
  rig.stream.say("some");
  await rig.clock.pass(100_000);
  assert.deepEqual([rig.text, rig.end], ["some", undefined]);
  rig.stream.end();
  await settle();
  assert.equal(rig.end, "end");
});

Deno.test("silence ends other input only after it has begun", async () => {
  const clock = new ManualClock();
  const stream = new SpeakingStream();
  const read = (into: Uint8Array) => stream.read(into);
  let pieces = 0;
  const done = (async () => {
    for await (const _ of inputStream(read, clock.delay)) pieces++;
  })();
  await clock.pass(100_000);
  stream.say("some");
  await settle();
  await clock.pass(1000);
  await done;
  assert.equal(pieces, 1);
});
