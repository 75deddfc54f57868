import assert from "node:assert/strict";
import { StatusService } from "../../../src/daemon/status_service.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import {
  formatAddress,
  type IpAddress,
  parseAddress,
} from "../../../src/net/address.ts";
import type { Endpoint } from "../../../src/net/endpoint.ts";
import type { Lookup } from "../../../src/net/resolver.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { reloadDuringStart } from "../../fakes/services.ts";

/** Ports of a host, on which others may listen. */
class Ports {
  readonly open = new Set<number>();
  isTaken = false;
  /** An address of somebody else. */
  refused = "";
  /** Where somebody has listened, in that order. */
  readonly hosts: string[] = [];

  listen(local: Endpoint) {
    const host = formatAddress(local.address);
    if (this.isTaken || host === this.refused) {
      throw new Error("Address already in use");
    }
    this.open.add(local.port);
    this.hosts.push(host);
    const end = Promise.withResolvers<never>();
    return {
      local,
      isProtected: false,
      listen() {},
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
    control: {} as never,
    members: () => assert.fail("nobody asks"),
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

const START = { waiting: () => {}, fail: () => {} };
const { signal: NEVER } = new AbortController();

Deno.test("a HUP that another service refuses leaves the metrics where they were", async () => {
  const ports = new Ports();
  const options = { ...QUIET, metrics: { host: "127.0.0.1", port: 9100 } };
  const { service } = make(ports, options);
  await service.start({ ...START, stop: NEVER });
  for (
    const [host, port] of [["127.0.0.1", 9200], ["0.0.0.0", 9100]] as const
  ) {
    const undo = new DisposableStack();
    await service.check({ ...options, metrics: { host, port } }, undo);
    assert.ok(ports.open.has(port));
    undo.dispose();
    await settle();
    await service.reload(options);
    assert.deepEqual([...ports.open], [9100], host);
  }
  assert.equal(ports.hosts.at(-1), "127.0.0.1");
  service.close();
});

const addressesOf = (...texts: string[]) =>
  texts.map((text) => parseAddress(text) ?? assert.fail());

Deno.test("a name with an address that cannot be listened at leaves none open", async () => {
  const ports = new Ports();
  ports.refused = "192.0.2.9";
  const options = { ...QUIET, metrics: { host: "vpn.test", port: 9100 } };
  const found = addressesOf("192.0.2.1", "192.0.2.9");
  const { service } = make(ports, options, () => Promise.resolve(found));
  await assert.rejects(
    async () => await service.start({ ...START, stop: NEVER }),
    /Cannot listen on vpn\.test, port 9100 \(--metrics\)/,
  );
  assert.deepEqual([...ports.open], []);
});

Deno.test("a name that is found after the end is listened at no more, and that others can read is said", async () => {
  const ports = new Ports();
  const options = { ...QUIET, metrics: { host: "vpn.test", port: 9100 } };
  const lookup = Promise.withResolvers<readonly IpAddress[]>();
  const { service, logger } = make(ports, options, () => lookup.promise);
  const stop = new AbortController();
  const starting = service.start({ ...START, stop: stop.signal });
  stop.abort();
  await starting;
  service.close();
  lookup.resolve(addressesOf("192.0.2.1"));
  await settle();
  assert.deepEqual([...ports.open], []);
  assert.match(logger.lines.at(-1) ?? "", /INFO: .*read from other hosts/);
});

const LIMIT = { burst: 5, perSecond: 1 };
