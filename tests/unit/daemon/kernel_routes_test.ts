import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import type {
  DeviceRoutes,
  KernelRoute,
} from "../../../ffi/tuntap/device_routes.ts";
import type { KernelRouteOptions } from "../../../src/config/kernel_routes.ts";
import { KernelRoutes } from "../../../src/daemon/kernel_routes.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { type IpAddress, parseAddress } from "../../../src/net/address.ts";
import {
  formatPrefix,
  parsePrefix,
  type Prefix,
  withoutHostBits,
} from "../../../src/net/prefix.ts";
import type { Route } from "../../../src/route/route.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  assert.ok(prefix);
  return prefix;
}

function route(text: string, mux = 0): Route {
  const { address: network, length: prefixLength } = prefixOf(text);
  return { network, prefixLength, mux };
}

function textOf({ network, length, metric }: KernelRoute): string {
  const family = network.length === 4 ? 4 : 6;
  const prefix = { address: { family, bytes: network }, length } as const;
  return formatPrefix(prefix) + (metric > 0 ? ` ${metric}` : "");
}

type Asked = "add" | "list" | "otherNetworks" | "remove";

/** Without host bits. */
function prefixText({ network, prefixLength: length }: Route): string {
  if (network.family === "ethernet") return "";
  const bytes = withoutHostBits(network.bytes, length);
  return formatPrefix({ address: { family: network.family, bytes }, length });
}

/** The kernel's routes to one device. */
class Kernel {
  /** Those of other devices. */
  networks: readonly string[] = [];
  isBusy = false;
  isOdd = false;
  readonly ours = new Map<string, KernelRoute>();
  readonly others = new Set<string>();
  readonly calls: string[] = [];
  errno = 0;

  open(): DeviceRoutes {
    const table: Pick<DeviceRoutes, Asked> & Disposable = {
      otherNetworks: () =>
        this.networks.map(prefixOf)
          .map(({ address: { bytes: address }, length }) => ({
            ...{ address, length },
          })),
      list: () => {
        if (this.isBusy) throw new SystemError("list", "netlink", Errno.EBUSY);
        return [...this.ours.values()];
      },
      add: (route) => {
        const text = textOf(route);
        this.calls.push(`+${text}`);
        if (this.isOdd) throw new Error("the answer is not understood");
        if (this.errno !== 0) {
          throw new SystemError("add", "netlink", this.errno);
        }
        if (this.others.has(text) || this.ours.has(text)) return false;
        this.ours.set(text, route);
        return true;
      },
      remove: (route) => {
        const text = textOf(route);
        this.calls.push(`-${text}`);
        return this.ours.delete(text);
      },
      [Symbol.dispose]: () => {},
    };
    return table as DeviceRoutes;
  }
}

const ANY = ["0.0.0.0/0", "::/0"].map(prefixOf);

function setUp(given: Partial<KernelRouteOptions> = {}) {
  const kernel = new Kernel();
  const clock = new ManualClock();
  const logger = recordingLog();
  const routes: Route[] = [];
  const peers: IpAddress[] = [];
  let byPrefix: ReadonlyMap<string, Route> | undefined;
  const asked = { all: 0, one: 0, peers: 0 };
  const named: { own?: IpAddress } = {};
  const { delay, every, now } = clock;
  const options = {
    ...{ metric: 0, mayHoldPeers: false, own: [], accepted: ANY },
    ...given,
  };
  const service = new KernelRoutes(options, {
    ...{ delay, elapsed: now, every, logger },
    limited: new RateLimitedLog(logger, { burst: 5, perSecond: 0.1 }, now),
    device: () => ({ name: "tun7", openRoutes: () => kernel.open() }),
    routes: () => {
      asked.all++;
      return routes;
    },
    routeTo: (route) => {
      asked.one++;
      byPrefix ??= new Map(routes.map((one) => [prefixText(one), one]));
      return byPrefix.get(prefixText(route));
    },
    ownPeer: () => named.own,
    peerOf: (mux) => {
      asked.peers++;
      return peers[mux];
    },
  });
  const put = (route: Route) => {
    routes.push(route);
    byPrefix = undefined;
    service.routeChanged(route);
  };
  const drop = (route: Route) => {
    routes.splice(routes.indexOf(route), 1);
    byPrefix = undefined;
    service.routeChanged(route);
  };
  const reload = (next: Partial<KernelRouteOptions> = {}) =>
    service.reload({ kernelRoutes: { ...options, ...next } });
  return {
    ...{ kernel, clock, logger, routes, peers, named, asked, service, reload },
    ...{ put, drop },
  };
}

Deno.test("routes come and go with the networks, without their host bits, and all go at the end", async () => {
  const { kernel, clock, routes, put, drop, service } = setUp({ metric: 7 });
  const first = route("10.77.1.1/16");
  routes.push(first, route("fd77::9/64"));
  service.start();
  assert.deepEqual([...kernel.ours.keys()], ["10.77.0.0/16 7", "fd77::/64 7"]);
  drop(first);
  put(route("10.78.0.0/16"));
  await clock.pass(100);
  // The new one first.
  assert.deepEqual(kernel.calls.slice(2), [
    "+10.78.0.0/16 7",
    "-10.77.0.0/16 7",
  ]);
  service.close();
  assert.equal(kernel.ours.size, 0);
  put(route("10.79.0.0/16"));
  await clock.pass(100);
  assert.equal(kernel.ours.size, 0, "nothing comes after the end");
});

Deno.test("what is no network of IP is nothing for the kernel", () => {
  const { kernel, routes, service } = setUp();
  const network = { family: "ethernet", value: 7n } as const;
  routes.push({ network, prefixLength: 48, mux: 0 }, route("10.1.0.0/16"));
  service.start();
  assert.deepEqual(kernel.calls, ["+10.1.0.0/16"]);
});

Deno.test("what a run before has left is taken over, or taken away", () => {
  const { kernel, routes, service } = setUp();
  for (const text of ["10.1.0.0/16", "10.2.0.0/16"]) {
    kernel.open().add({
      network: Uint8Array.from(
        text.split("/")[0]?.split(".").map(Number) ?? [],
      ),
      length: 16,
      metric: 0,
    });
  }
  kernel.calls.length = 0;
  routes.push(route("10.1.0.0/16"));
  service.start();
  assert.deepEqual(kernel.calls, ["-10.2.0.0/16"]);
});

Deno.test("what the kernel does not take is tried again, and told once", async () => {
  const { kernel, clock, logger, routes, service } = setUp();
  routes.push(route("10.1.0.0/16"), route("10.2.0.0/16"));
  kernel.others.add("10.2.0.0/16");
  kernel.errno = Errno.ENETDOWN;
  service.start();
  const stop = new AbortController();
  const running = service.run(stop.signal);
  await clock.pass(10_000);
  kernel.errno = 0;
  await clock.pass(10_000);
  assert.deepEqual([...kernel.ours.keys()], ["10.1.0.0/16"]);
  const warnings = logger.lines.filter((line) => line.startsWith("WARNING"));
  const why = ["the device is down", "the device is down"];
  assert.deepEqual(
    warnings.map((line) => line.replace(/.*: /, "")),
    [...why, "there is a route of somebody else already"],
  );
  service.close();
  assert.ok(!kernel.calls.includes("-10.2.0.0/16"), "it is somebody else's");
  stop.abort();
  await running;
});

Deno.test("a default route needs a mark, whoever tells of it", () => {
  const without = setUp();
  without.routes.push(route("0.0.0.0/0"), route("::/0"));
  // Its halves come before it.
  without.routes.push(route("128.0.0.0/1"), route("8000::/1"));
  without.service.start();
  without.reload({ mayHoldPeers: false });
  assert.equal(without.kernel.ours.size, 0);
  assert.equal(without.logger.lines.length, 4, "each is told once");
  const marked = setUp({ mayHoldPeers: true });
  marked.routes.push(route("0.0.0.0/0"));
  marked.service.start();
  assert.deepEqual([...marked.kernel.ours.keys()], ["0.0.0.0/0"]);
  marked.reload({ mayHoldPeers: false });
  assert.equal(marked.kernel.ours.size, 0, "a HUP has taken the mark away");
  marked.reload({ mayHoldPeers: true });
  assert.equal(marked.kernel.ours.size, 1, "and given it back");
});

Deno.test("what others tell of has to be in what is accepted; own networks need not", () => {
  const accepted = ["10.0.0.0/8", "fc00::/7"].map(prefixOf);
  const own = ["192.0.2.0/24", "198.51.100.1/24"].map(prefixOf);
  const { kernel, logger, routes, service, reload } = setUp({ accepted, own });
  const ours = () => [...kernel.ours.keys()];
  for (
    const text of [
      ...["10.0.0.0/8", "10.9.8.7/32", "fd77::/64", "192.0.2.0/24"],
      "198.51.100.77/24",
      // A name server, what clouds tell secrets at, and a part of an own network.
      ...["9.9.9.9/32", "169.254.169.254/32", "192.0.2.0/25", "2001:db8::/32"],
      ...["8.0.0.0/8", "0.0.0.0/0"],
    ]
  ) routes.push(route(text));
  service.start();
  const taken = ["10.0.0.0/8", "10.9.8.7/32", "fd77::/64", "192.0.2.0/24"];
  assert.deepEqual(ours(), [...taken, "198.51.100.0/24"]);
  assert.match(
    logger.lines.join("\n"),
    /route 9\.9\.9\.9\/32 .*another member .*--routes-accept does not hold it/,
  );
  reload({ accepted: ["10.9.0.0/16", "9.0.0.0/8"].map(prefixOf), own: [] });
  assert.deepEqual(ours(), ["10.9.8.7/32", "9.9.9.9/32"]);
  reload({ accepted: [], own });
  assert.deepEqual(ours(), ["192.0.2.0/24", "198.51.100.0/24"]);
});

Deno.test("what others tell of takes no host out of a network that this one is in", () => {
  const { kernel, logger, routes, service, reload } = setUp({
    own: [prefixOf("192.168.1.9/32")],
  });
  kernel.networks = ["192.168.1.7/24", "2001:db8::7/64"];
  for (
    const text of [
      ...["192.168.1.9/32", "192.168.0.0/16", "192.168.2.1/32", "2001::/16"],
      // The gateway, half of the network, all of it.
      ...["192.168.1.1/32", "192.168.1.0/25", "192.168.1.0/24"],
      "2001:db8::1/128",
    ]
  ) routes.push(route(text));
  service.start();
  const ours = () => [...kernel.ours.keys()].toSorted();
  const taken = [
    ...["192.168.0.0/16", "192.168.1.9/32", "192.168.2.1/32"],
    "2001::/16",
  ];
  assert.deepEqual(ours(), taken);
  assert.match(logger.lines[0] ?? "", /in a network of this host's own/);
  kernel.networks = [];
  reload({ mayHoldPeers: false });
  assert.equal(ours().length, 8, "the host is in neither any more");
  kernel.networks = ["192.168.1.7/24", "2001:db8::7/64"];
  reload({ mayHoldPeers: true });
  assert.deepEqual(ours(), taken, "a mark leads none but the tunnel's packets");
});

Deno.test("what others tell of does not hold the address of its peer, without a mark", async () => {
  const { kernel, clock, logger, routes, peers, service, reload } = setUp({
    own: [prefixOf("192.0.2.0/24")],
  });
  const address = parseAddress("192.0.2.7");
  assert.ok(address);
  peers[5] = address;
  for (const mux of [4, 5]) routes.push(route(`192.0.2.${mux + 2}/32`, mux));
  routes.push(route("192.0.0.0/16", 5), route("192.0.2.0/24", 5));
  service.start();
  const ours = () => [...kernel.ours.keys()];
  const others = ["192.0.2.6/32", "192.0.2.0/24"];
  assert.deepEqual(ours(), others);
  assert.match(logger.lines.join("\n"), /holds the address of a peer/);
  delete peers[5];
  service.peerMoved(5);
  await clock.pass(20);
  assert.equal(ours().length, 4, "it is elsewhere");
  peers[5] = address;
  service.peerMoved(5);
  await clock.pass(20);
  assert.deepEqual(ours().toSorted(), others.toSorted(), "it is back");
  reload({ mayHoldPeers: true });
  assert.equal(ours().length, 4);
});

Deno.test("whoever tells of thousands of networks fills no log", () => {
  const { kernel, logger, routes, service } = setUp();
  kernel.errno = Errno.EINVAL;
  for (let k = 0; k < 2000; k++) {
    routes.push(route(`10.${k >> 8}.${k & 255}.0/24`));
  }
  service.start();
  assert.equal(logger.lines.length, 5);
});

Deno.test("routes that cannot be listed at a reload go at the end nevertheless", () => {
  const { kernel, routes, service, reload } = setUp();
  routes.push(route("10.1.0.0/16"));
  service.start();
  kernel.isBusy = true;
  assert.throws(() => reload({ mayHoldPeers: false }), SystemError);
  service.close();
  assert.equal(kernel.ours.size, 0);
});

Deno.test("an answer of the kernel that nobody understands is told, and tried again", async () => {
  const { kernel, clock, logger, put, service } = setUp();
  service.start();
  const stop = new AbortController();
  const running = service.run(stop.signal);
  kernel.isOdd = true;
  put(route("10.1.0.0/16"));
  await clock.pass(5000);
  assert.match(logger.lines[0] ?? "", /ERROR: .*routes: .* not understood/);
  kernel.isOdd = false;
  await clock.pass(2000);
  await clock.pass(20);
  assert.deepEqual([...kernel.ours.keys()], ["10.1.0.0/16"]);
  stop.abort();
  await running;
});

Deno.test("where one of many routes changes, or one peer moves, the others are not looked at", async () => {
  const { kernel, clock, routes, peers, asked, put, drop, service } = setUp();
  for (let k = 0; k < 2000; k++) {
    routes.push(route(`10.1.${k >> 8}.${k & 255}/32`, k));
  }
  service.start();
  assert.equal(kernel.ours.size, 2000);
  Object.assign(asked, { all: 0, one: 0, peers: 0 });
  const one = route("10.2.0.1/32", 5);
  put(one);
  await clock.pass(20);
  assert.deepEqual(asked, { all: 0, one: 1, peers: 1 });
  const address = parseAddress("10.2.0.1");
  assert.ok(address);
  peers[5] = address;
  service.peerMoved(5);
  await clock.pass(20);
  assert.ok(!kernel.ours.has("10.2.0.1/32"));
  assert.deepEqual(asked, { all: 0, one: 1, peers: 3 }, "both routes of it");
  drop(one);
  await clock.pass(20);
  assert.deepEqual(asked, { all: 0, one: 2, peers: 3 });
  assert.equal(kernel.ours.size, 2000);
});

Deno.test("what the kernel did not take is tried again without what it has taken", async () => {
  const { kernel, clock, routes, asked, put, service } = setUp();
  for (let k = 0; k < 100; k++) routes.push(route(`10.1.0.${k}/32`, k));
  service.start();
  const stop = new AbortController();
  const running = service.run(stop.signal);
  kernel.others.add("10.2.0.1/32");
  put(route("10.2.0.1/32", 5));
  await clock.pass(20);
  kernel.calls.length = 0;
  put(route("10.2.0.2/32", 5));
  await clock.pass(20);
  assert.deepEqual(kernel.calls, ["+10.2.0.2/32"], "not with each change");
  Object.assign(asked, { all: 0, one: 0, peers: 0 });
  kernel.others.clear();
  await clock.pass(2000);
  await clock.pass(20);
  assert.ok(kernel.ours.has("10.2.0.1/32"));
  assert.deepEqual(asked, { all: 0, one: 0, peers: 1 });
  stop.abort();
  await running;
});

/** Routes of both families, which are there, and tried from time to time. */
function running(families: readonly string[]) {
  const rig = setUp();
  for (const text of families) rig.routes.push(route(text));
  rig.service.start();
  const stop = new AbortController();
  const ended = rig.service.run(stop.signal);
  return {
    ...{ ...rig, there: () => [...rig.kernel.ours.keys()].toSorted() },
    /** Of so many looks, and what comes of the last. */
    look: async (times = 1) => {
      for (let k = 0; k < times; k++) await rig.clock.pass(2000);
      await rig.clock.pass(20);
    },
    end: async () => {
      stop.abort();
      await ended;
    },
  };
}

const BOTH = ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "fd77::/64"];

Deno.test("routes that the kernel has dropped come back, those of one family as well", async () => {
  const { kernel, logger, there, look, end } = running([...BOTH, "fd78::/64"]);
  const all = there();
  // The device was down for a moment; then it lost its last address of IPv4.
  for (const family of [/./, /^10/, /:/]) {
    for (const text of all) if (family.test(text)) kernel.ours.delete(text);
    await look();
    assert.deepEqual(there(), all, String(family));
  }
  assert.match(logger.lines.join("\n"), /WARNING: .* were lost/);
  await end();
});

Deno.test("a device that is set down is told of once, has no route, and gets all when it is up", async () => {
  const { kernel, logger, service, there, look, end } = running(BOTH);
  logger.lines.length = 0;
  kernel.ours.clear();
  kernel.errno = Errno.ENETDOWN;
  await look(5);
  assert.deepEqual(service.report(), ["kernel routes: none"]);
  const lines = logger.lines.filter((line) => line.includes("is down"));
  assert.equal(lines.length, BOTH.length, "each route once");
  assert.equal(
    logger.lines.filter((line) => line.includes("were lost")).length,
    1,
  );
  kernel.errno = 0;
  await look();
  assert.deepEqual(there(), BOTH);
  await end();
});

Deno.test("while IPv6 is disabled on the device its routes are not listed as there", async () => {
  const { kernel, service, there, look, end } = running(["fd77::/64"]);
  kernel.ours.clear();
  kernel.errno = Errno.EACCES;
  await look();
  assert.deepEqual(service.report(), ["kernel routes: none"]);
  kernel.errno = 0;
  await look();
  assert.deepEqual(there(), ["fd77::/64"]);
  await end();
});

Deno.test("a loss that is seen right before the end is looked into no more", async () => {
  const { kernel, clock, logger, service, end } = running(BOTH);
  kernel.ours.clear();
  await clock.pass(2000);
  service.close();
  await clock.pass(5000);
  assert.equal(kernel.ours.size, 0);
  assert.doesNotMatch(logger.lines.join("\n"), /were lost/);
  await end();
});

Deno.test("one route that somebody took out comes back when it is its turn", async () => {
  const { kernel, there, look, end } = running(BOTH);
  kernel.ours.delete("10.2.0.0/16");
  await look(3);
  assert.deepEqual(there(), BOTH);
  await end();
});

Deno.test("a look at routes that are there tries two of them, and no refusal counts as a loss", async () => {
  const { kernel, asked, look, end } = running(BOTH);
  const before = { ...asked };
  kernel.calls.length = 0;
  await look();
  assert.deepEqual(kernel.calls, ["+10.1.0.0/16", "+fd77::/64"]);
  kernel.errno = Errno.EPERM;
  await look(3);
  assert.equal(kernel.calls.length, 8);
  assert.deepEqual(asked, before);
  await end();
});

Deno.test("what was lost and cannot be listed comes back later, and nothing of somebody else's goes", async () => {
  const { kernel, logger, service, there, look, end } = running(BOTH);
  kernel.ours.clear();
  kernel.others.add("10.3.0.0/16");
  kernel.isBusy = true;
  await look(2);
  assert.match(logger.lines.join("\n"), /ERROR: Cannot change kernel routes/);
  kernel.isBusy = false;
  await look();
  const ours = BOTH.filter((text) => text !== "10.3.0.0/16");
  assert.deepEqual(there(), ours);
  service.close();
  assert.ok(!kernel.calls.includes("-10.3.0.0/16"));
  await end();
});

Deno.test("a device that is down is asked to take one route of many", async () => {
  const { kernel, clock, routes, service } = setUp();
  for (let k = 0; k < 100; k++) routes.push(route(`10.1.0.${k}/32`, k));
  kernel.errno = Errno.ENETDOWN;
  service.start();
  assert.equal(kernel.calls.length, 1);
  const stop = new AbortController();
  const running = service.run(stop.signal);
  kernel.errno = 0;
  await clock.pass(2000);
  await clock.pass(20);
  assert.equal(kernel.ours.size, 100);
  stop.abort();
  await running;
});

Deno.test("where this host's networks or its own peer are others, all are looked at", async () => {
  const { kernel, clock, routes, named, service } = setUp();
  routes.push(route("192.0.2.0/25", 1), route("198.51.100.0/25", 2));
  service.start();
  const after = async () => {
    service.changed();
    await clock.pass(20);
    return [...kernel.ours.keys()];
  };
  kernel.networks = ["192.0.2.1/24"];
  assert.deepEqual(await after(), ["198.51.100.0/25"]);
  const address = parseAddress("198.51.100.9");
  assert.ok(address);
  named.own = address;
  assert.deepEqual(await after(), []);
  kernel.networks = [];
  delete named.own;
  assert.equal((await after()).length, 2);
});

Deno.test("a network that more routes lead to stays until the last of them is gone", async () => {
  const { kernel, clock, put, drop, service } = setUp();
  service.start();
  const both = [route("10.1.0.1/16", 1), route("10.1.0.2/16", 2)];
  for (const one of both) put(one);
  await clock.pass(20);
  for (const one of both) {
    assert.equal(kernel.ours.size, 1);
    drop(one);
    await clock.pass(1000);
  }
  assert.deepEqual(kernel.calls, ["+10.1.0.0/16", "-10.1.0.0/16"]);
});

Deno.test("more changes than a list is kept of have all looked at once", async () => {
  const { kernel, clock, asked, put, service } = setUp();
  service.start();
  for (let k = 0; k < 10_100; k++) {
    put(route(`10.${k >> 8}.${k & 255}.0/24`, 1));
  }
  const before = asked.all;
  await clock.pass(20);
  assert.equal(asked.all, before + 1);
  assert.equal(kernel.ours.size, 10_100);
});
