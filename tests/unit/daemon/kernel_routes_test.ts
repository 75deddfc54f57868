import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import { parseAddress } from "../../../src/net/address.ts";
import {
  KernelRoutesRig,
  prefixOf,
  route,
} from "../../fakes/kernel_routes_rig.ts";

Deno.test("routes come and go with the networks, without their host bits, and all go at the end", async () => {
  const { kernel, clock, routes, put, drop, service } = new KernelRoutesRig({
    metric: 7,
  });
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
  const { kernel, routes, service } = new KernelRoutesRig();
  const network = { family: "ethernet", value: 7n } as const;
  routes.push({ network, prefixLength: 48, mux: 0 }, route("10.1.0.0/16"));
  service.start();
  assert.deepEqual(kernel.calls, ["+10.1.0.0/16"]);
});

Deno.test("what a run before has left is taken over, or taken away", () => {
  const { kernel, routes, service } = new KernelRoutesRig();
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
  const { kernel, clock, logger, routes, service } = new KernelRoutesRig();
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
  const without = new KernelRoutesRig();
  without.routes.push(route("0.0.0.0/0"), route("::/0"));
  // Its halves come before it.
  without.routes.push(route("128.0.0.0/1"), route("8000::/1"));
  without.service.start();
  without.reload({ mayHoldPeers: false });
  assert.equal(without.kernel.ours.size, 0);
  assert.equal(without.logger.lines.length, 4, "each is told once");
  const marked = new KernelRoutesRig({ mayHoldPeers: true });
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
  const { kernel, logger, routes, service, reload } = new KernelRoutesRig({
    accepted,
    own,
  });
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
  const { kernel, logger, routes, service, reload } = new KernelRoutesRig({
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
  const { kernel, clock, logger, routes, peers, service, reload } =
    new KernelRoutesRig({
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
  const { kernel, logger, routes, service } = new KernelRoutesRig();
  kernel.errno = Errno.EINVAL;
  for (let k = 0; k < 2000; k++) {
    routes.push(route(`10.${k >> 8}.${k & 255}.0/24`));
  }
  service.start();
  assert.equal(logger.lines.length, 5);
});

Deno.test("routes that cannot be listed at a reload go at the end nevertheless", () => {
  const { kernel, routes, service, reload } = new KernelRoutesRig();
  routes.push(route("10.1.0.0/16"));
  service.start();
  kernel.isBusy = true;
  assert.throws(() => reload({ mayHoldPeers: false }), SystemError);
  service.close();
  assert.equal(kernel.ours.size, 0);
});

Deno.test("an answer of the kernel that nobody understands is told, and tried again", async () => {
  const { kernel, clock, logger, put, service } = new KernelRoutesRig();
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
  const { kernel, clock, routes, peers, asked, put, drop, service } =
    new KernelRoutesRig();
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
  const { kernel, clock, routes, asked, put, service } = new KernelRoutesRig();
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

Deno.test("a device that is down is asked to take one route of many", async () => {
  const { kernel, clock, routes, service } = new KernelRoutesRig();
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
  const { kernel, clock, routes, named, service } = new KernelRoutesRig();
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
  const { kernel, clock, put, drop, service } = new KernelRoutesRig();
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
  const { kernel, clock, asked, put, service } = new KernelRoutesRig();
  service.start();
  for (let k = 0; k < 10_100; k++) {
    put(route(`10.${k >> 8}.${k & 255}.0/24`, 1));
  }
  const before = asked.all;
  await clock.pass(20);
  assert.equal(asked.all, before + 1);
  assert.equal(kernel.ours.size, 10_100);
});
