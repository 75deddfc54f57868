import assert from "node:assert/strict";
import { StatusService } from "../../../src/daemon/status_service.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import type { IpAddress } from "../../../src/net/address.ts";
import type { Endpoint } from "../../../src/net/endpoint.ts";
import type { Lookup } from "../../../src/net/resolver.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { reloadDuringStart } from "../../fakes/services.ts";

/** Ports of a host, on which others may listen. */
class Ports {
  readonly open = new Set<number>();
  isTaken = false;

  listen(local: Endpoint) {
    if (this.isTaken) throw new Error("Address already in use");
    this.open.add(local.port);
    const end = Promise.withResolvers<never>();
    return {
      local,
      isProtected: false,
      accept: () => end.promise,
      close: () => {
        this.open.delete(local.port);
        end.reject(new Error("closed"));
      },
    };
  }
}

/** The status of a daemon on a host with these ports. */
function make(
  ports: Ports,
  options: ConstructorParameters<typeof StatusService>[0],
  lookup: Lookup = () => Promise.reject(new Error("there are no names")),
) {
  const clock = new ManualClock();
  const logger = recordingLog();
  const service = new StatusService(options, {
    report: { changed: () => {} } as never,
    ...{ logger, limited: new RateLimitedLog(logger, LIMIT, clock.now) },
  }, {
    delay: clock.delay,
    listenTcp: (local) => ports.listen(local),
    lookup,
    makeRunFolder: () => {},
    openOwners: () => assert.fail("nobody comes"),
    openUnixStreams: () => assert.fail("there is no socket"),
    runtimeDirectory: undefined,
  });
  return { service, logger };
}

const QUIET = { name: "vpn", statusSocket: "off", metricsConnections: 5 };

Deno.test("metrics whose port somebody took during a HUP are back at the next one", async () => {
  const ports = new Ports();
  const options = { ...QUIET, metrics: { host: "127.0.0.1", port: 9100 } };
  const { service, logger } = make(ports, options);
  const stop = new AbortController();
  await service.start({
    ...{ stop: stop.signal, waiting: () => {}, fail: () => {} },
  });
  assert.deepEqual([...ports.open], [9100]);
  ports.isTaken = true;
  const elsewhere = { ...options, metrics: { host: "0.0.0.0", port: 9100 } };
  const undo = new DisposableStack();
  await assert.rejects(service.check(elsewhere, undo), /already in use/);
  await service.reload(options);
  assert.deepEqual([...ports.open], []);
  assert.match(logger.lines.at(-1) ?? "", /ERROR: .*already in use/);
  ports.isTaken = false;
  await service.check(options, undo);
  await service.reload(options);
  assert.deepEqual([...ports.open], [9100]);
  service.close();
  assert.deepEqual([...ports.open], []);
});

Deno.test("of metrics that move at a HUP during the start no listener stays behind", async () => {
  const ports = new Ports();
  const before = { ...QUIET, metrics: { host: "here.example", port: 9100 } };
  const after = { ...QUIET, metrics: { host: "127.0.0.1", port: 9200 } };
  const found = Promise.withResolvers<readonly [IpAddress]>();
  const { service } = make(ports, before, () => found.promise);
  const goOn = () =>
    found.resolve([{ family: 4, bytes: Uint8Array.of(127, 0, 0, 1) }]);
  const end = await reloadDuringStart(service, { before, after, goOn });
  assert.deepEqual([...ports.open], [9200]);
  await end();
  assert.deepEqual([...ports.open], []);
});

const LIMIT = { burst: 5, perSecond: 1 };
