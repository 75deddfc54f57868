import assert from "node:assert/strict";
import { LocalStreams } from "../../../src/daemon/local_streams.ts";
import { SyncService } from "../../../src/daemon/sync_service.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { every } from "../../../src/net/every.ts";
import { KnownMembers } from "../../../src/sync/known_members.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { starting } from "../../fakes/services.ts";
import { pause, readText, unlimited } from "../../fakes/sync_streams.ts";
import { MeshMember } from "../../fakes/sync_mesh.ts";
import { ipAddress } from "../../samples/routes.ts";

const never = new AbortController().signal;

type Bind = { host: string; port: number } | { path: string };

/** Services that all know what they serve at the same moment. */
async function rig(
  body: (rig: {
    readonly streams: LocalStreams;
    readonly folder: string;
    readonly known: PromiseWithResolvers<void>;
    /** By TCP, the port that was bound last. */
    readonly bound: { port: number };
    serve(bind: Bind): { service: SyncService; lines: readonly string[] };
  }) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const libc = openProcessLibc();
  try {
    await using streams = new LocalStreams(libc);
    const bound = { port: 0 };
    const known = Promise.withResolvers<void>();
    const serve = (bind: Bind) => {
      const logger = recordingLog();
      const service = new SyncService({
        ...{ bind, named: "(--control-host)", identity: undefined, logger },
        trust: { syncTls: undefined, syncAnyUser: true },
        members: new KnownMembers(),
        snapshot: () => ["all"],
        feed: new MeshMember("c", { now: 1_000_000 }).feed,
        known: known.promise,
        limited: unlimited(logger),
      }, {
        delay: pause,
        every,
        effectiveUser: () => Deno.uid() ?? 0,
        elapsed: () => performance.now(),
        listenTcp(on, isLater) {
          const listener = streams.listenTcp(on, isLater);
          bound.port = listener.local.port;
          return listener;
        },
        lookup: () => Promise.reject(new Error("no names here")),
        openOwners: () => () => 0,
        openUnixStreams: () => streams.openUnixStreams(),
      });
      return { service, lines: logger.lines };
    };
    await body({ streams, folder, known, bound, serve });
  } finally {
    libc.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("a server that knows nothing yet lets nobody in, by TCP or a unix socket", async () => {
  await rig(async ({ streams, folder, known, bound, serve }) => {
    const path = `${folder}/s`;
    const tcp = serve({ host: "127.0.0.1", port: 0 });
    const services = [tcp.service, serve({ path }).service];
    const stop = new AbortController();
    for (const service of services) await service.start(starting());
    const running = services.map((service) => service.run(stop.signal));
    const there = { address: ipAddress("127.0.0.1"), port: bound.port };
    await assert.rejects(streams.connectTcp(there, never), /refused/);
    const early = streams.openUnixStreams().connect({ path });
    const heard = readText(early, 3);
    assert.equal(await Promise.race([heard, pause(50)]), undefined);
    assert.deepEqual(tcp.lines, []);
    known.resolve();
    assert.equal(await heard, "all");
    await pause(0);
    assert.deepEqual(tcp.lines, [
      `NOTICE: sync server listening on 127.0.0.1:${bound.port}`,
    ]);
    const client = await streams.connectTcp(there, never);
    assert.equal(await readText(client, 3), "all");
    for (const each of [early, client]) each.close();
    stop.abort();
    await Promise.all(running);
    for (const service of services) service.close();
  });
});

Deno.test("of two that wait at one port the second fails when both know, and one that comes later at once", async () => {
  await rig(async ({ known, bound, serve }) => {
    const stop = new AbortController();
    const first = serve({ host: "127.0.0.1", port: 0 });
    await first.service.start(starting());
    const at = { host: "127.0.0.1", port: bound.port };
    const message = `Cannot listen for sync clients on 127.0.0.1:${at.port}: ` +
      "Address already in use by another program (--control-host)";
    const second = serve(at);
    await second.service.start(starting());
    const running = first.service.run(stop.signal);
    const failing = assert.rejects(second.service.run(stop.signal), {
      message,
    });
    known.resolve();
    await failing;
    const third = serve(at);
    await assert.rejects(third.service.start(starting()), { message });
    for (const { lines } of [second, third]) assert.deepEqual(lines, []);
    second.service.close();
    stop.abort();
    await running;
  });
});
