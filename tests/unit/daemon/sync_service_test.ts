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

Deno.test("a server that knows nothing yet lets nobody in, by TCP or a unix socket", async () => {
  const folder = Deno.makeTempDirSync();
  const libc = openProcessLibc();
  {
    await using streams = new LocalStreams(libc);
    const bound = { port: 0 };
    const known = Promise.withResolvers<void>();
    const serve = (bind: { host: string; port: number } | { path: string }) => {
      const logger = recordingLog();
      return new SyncService({
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
    };
    const path = `${folder}/s`;
    const services = [serve({ host: "127.0.0.1", port: 0 }), serve({ path })];
    const stop = new AbortController();
    for (const service of services) await service.start(starting());
    const running = services.map((service) => service.run(stop.signal));
    const there = { address: ipAddress("127.0.0.1"), port: bound.port };
    await assert.rejects(streams.connectTcp(there, never), /refused/);
    const early = streams.openUnixStreams().connect({ path });
    const heard = readText(early, 3);
    assert.equal(await Promise.race([heard, pause(50)]), undefined);
    known.resolve();
    assert.equal(await heard, "all");
    await pause(0);
    const client = await streams.connectTcp(there, never);
    assert.equal(await readText(client, 3), "all");
    for (const each of [early, client]) each.close();
    stop.abort();
    await Promise.all(running);
    for (const service of services) service.close();
  }
  libc.close();
  Deno.removeSync(folder, { recursive: true });
});
