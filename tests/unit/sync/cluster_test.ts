import { strict as assert } from "node:assert";
import type { Endpoint } from "../../../src/net/endpoint.ts";
import { every } from "../../../src/net/every.ts";
import { bindSync } from "../../../src/sync/bind.ts";
import { SyncClient } from "../../../src/sync/client.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { SyncServer } from "../../../src/sync/server.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";
import { SyncMember } from "../../fakes/sync_member.ts";
import {
  connectPlain,
  endpointOf,
  listenPlain,
  pause,
  unlimited,
} from "../../fakes/sync_streams.ts";

const MUX = 5;

/** A member whose server runs until it is stopped. */
class Serving {
  readonly member = new SyncMember();
  readonly #stop = new AbortController();
  readonly #server: SyncServer;
  readonly #running: Promise<void>;
  readonly local: Endpoint;

  static async start(port: number): Promise<Serving> {
    const noName = () => Promise.reject(new Error("no names here"));
    const at = { host: "127.0.0.1", port };
    return new Serving(await bindSync(at, listenPlain, noName));
  }

  private constructor(listeners: Awaited<ReturnType<typeof bindSync>>) {
    const [listener] = listeners;
    assert.ok(listener);
    this.local = endpointOf(listener.local);
    this.#server = new SyncServer({
      listeners,
      snapshot: () => [this.member.stream()],
      delay: pause,
      every,
      log: unlimited(recordingLog()),
    });
    this.#running = this.#server.run(this.#stop.signal);
  }

  /** Learns something, and tells it to its clients. */
  learn(record: SyncRecord): void {
    const text = encodeRecord(record);
    this.member.read(new TextEncoder().encode(text));
    this.#server.push(text);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

/** A member that follows another one. */
class Following {
  readonly member = new SyncMember();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #learnt = Promise.withResolvers<void>();

  constructor({ port }: Endpoint) {
    const client = new SyncClient({
      server: { host: "127.0.0.1", port },
      apply: (record) => {
        this.member.apply(record);
        this.#learnt.resolve();
      },
      connect: connectPlain,
      lookup: () => Promise.resolve([]),
      // What takes seconds in a cluster need not take them here.
      delay: (ms, signal) => pause(ms / 100, signal),
      now: () => performance.now(),
      log: this.member.log,
    });
    this.#running = client.run(this.#stop.signal);
  }

  /** Waits until what this member knows is this. */
  async knows(stream: () => string): Promise<void> {
    while (this.member.stream() !== stream()) {
      await this.#learnt.promise;
      this.#learnt = Promise.withResolvers();
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

Deno.test("a member learns what another knows, then what that learns", async () => {
  const one = await Serving.start(0);
  one.learn(connectionRecord({ seq: 7 }));
  one.learn(routeRecord("10.0.0.0/8", MUX));
  const other = new Following(one.local);
  await other.knows(() => one.member.stream());
  one.learn(connectionRecord({ mux: 6, role: "right" }));
  one.learn(connectionRecord({ seq: 8, host: "2001:db8::1" }));
  one.learn(routeRecord("fd00::/8", 6));
  await other.knows(() => one.member.stream());
  await other.stop();
  await one.stop();
});

Deno.test("a server that restarts and counts from 0 takes no number of a member back", async () => {
  const before = await Serving.start(0);
  before.learn(connectionRecord({ seq: 0 }));
  const member = new Following(before.local);
  await member.knows(() => before.member.stream());
  const { table } = member.member;
  const { epoch } = table.keys(MUX);
  assert.equal(table.reserve(MUX, epoch, 1000), 0);
  await before.stop();

  const after = await Serving.start(before.local.port);
  after.learn(connectionRecord({ seq: 0 }));
  // The last record tells that the first one has been applied.
  after.learn(routeRecord("10.0.0.0/8", MUX));
  await member.knows(() =>
    encodeRecord(connectionRecord({ seq: 1000 })) +
    encodeRecord(routeRecord("10.0.0.0/8", MUX))
  );
  assert.equal(table.reserve(MUX, epoch, 1), 1000);
  await member.stop();
  await after.stop();
});
