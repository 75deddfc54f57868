import { strict as assert } from "node:assert";
import { AddressRanges } from "../../../src/route/ranges.ts";
import type { Route } from "../../../src/route/route.ts";
import { Routes } from "../../../src/route/routes.ts";
import { MAX_PREFIXES, RouteTable } from "../../../src/route/table.ts";
import { type ReaderOrder, ReaderPlace } from "../../fakes/route_order.ts";
import { packetTo } from "../../samples/route_packets.ts";
import { ipAddress, routeOf } from "../../samples/routes.ts";

function tableOf(...prefixes: readonly (readonly [string, number])[]) {
  const table = new RouteTable(RouteTable.allocate());
  const routes = new Routes();
  for (const [prefix, mux] of prefixes) routes.put(routeOf(prefix, mux));
  routes.publish(table);
  return table;
}

Deno.test("a table without routes knows no destination", () => {
  const table = new RouteTable(RouteTable.allocate());
  assert.equal(table.lookupIpv4(ipAddress("10.0.0.1").bytes, 0), -1);
  assert.equal(table.lookupIpv6(ipAddress("fd00::1").bytes, 0), -1);
});

Deno.test("lookup() reads the destination where the packet lies", () => {
  const table = tableOf(["10.0.0.0/8", 7], ["fd00::/8", 65535]);
  const v4 = packetTo("10.1.2.3");
  assert.equal(table.lookup(v4.memory, v4.at, v4.size), 7);
  const v6 = packetTo("fd00::1");
  assert.equal(table.lookup(v6.memory, v6.at, v6.size), 65535);
});

Deno.test("lookup() takes packets that are cut in their header for 0.0.0.0", () => {
  const table = tableOf(["0.0.0.0/8", 1], ["10.0.0.0/8", 7], ["fd00::/8", 9]);
  const v4 = packetTo("10.1.2.3");
  assert.equal(table.lookup(v4.memory, v4.at, 19), 1);
  const v6 = packetTo("fd00::1");
  assert.equal(table.lookup(v6.memory, v6.at, 39), 1);
});

Deno.test("lookup() has no way for what is not IP", () => {
  const table = tableOf(["0.0.0.0/0", 1], ["::/0", 2]);
  const packet = packetTo("10.1.2.3");
  packet.memory[packet.at] = 0x55;
  assert.equal(table.lookup(packet.memory, packet.at, packet.size), -1);
});

Deno.test("routes() are listed by family, length and address, as they came", () => {
  const routes = new Routes();
  const ethernet = (value: bigint, prefixLength: number) => ({
    network: { family: "ethernet" as const, value },
    prefixLength,
    mux: 3,
  });
  const given = [
    ethernet(2n, 48),
    ethernet(9n, 24),
    routeOf("fd00::/8", 2),
    routeOf("10.0.0.1/8", 1),
    routeOf("9.0.0.0/33", 1),
    routeOf("10.0.0.0/8", 2),
    routeOf("::/0", 2),
    routeOf("10.0.0.0/8", 5),
  ];
  for (const route of given) assert.equal(routes.put(route), true);
  const [e48, e24, fd, host, v33, , zero, ten] = given;
  assert.deepEqual(routes.list(), [ten, host, v33, zero, fd, e24, e48]);
});

Deno.test("routes are listed after each change as if no others had ever been there", () => {
  const routes = new Routes();
  const there = new Map<number, Route>();
  const routeAt = (place: number, mux: number): Route =>
    place % 4 === 0
      ? {
        network: { family: "ethernet", value: BigInt(place) },
        ...{ prefixLength: 48, mux },
      }
      : routeOf(`10.${place * 37 % 60}.0.${place % 2}/${8 + place % 3}`, mux);
  const put = (place: number, mux: number) => {
    const route = routeAt(place, mux);
    there.set(place, route);
    routes.put(route);
  };
  for (let k = 0; k < 60; k++) {
    put(k, k);
    if (k >= 20) put(k - 20, 99);
    const gone = there.get(k - 7);
    if (gone !== undefined && k % 2 === 0) {
      there.delete(k - 7);
      assert.ok(routes.remove(gone));
    }
    const anew = new Routes();
    for (const one of there.values()) anew.put(one);
    assert.deepEqual(routes.list(), anew.list(), `after ${k}`);
  }
});

Deno.test("a route that comes again is the later one from then on", () => {
  const table = tableOf(["10.0.0.1/8", 1], ["10.0.0.2/8", 2], [
    "10.0.0.1/8",
    3,
  ]);
  assert.equal(table.lookupIpv4(ipAddress("10.9.9.9").bytes, 0), 3);
});

Deno.test("remove() lets the route before it count again, and what lies around it", () => {
  const table = new RouteTable(RouteTable.allocate());
  const routes = new Routes();
  const muxOf = (address: string): number => {
    routes.publish(table);
    return table.lookupIpv4(ipAddress(address).bytes, 0);
  };
  const given = [
    routeOf("10.0.0.0/7", 1),
    routeOf("10.0.0.1/8", 2),
    routeOf("10.0.0.2/8", 3),
  ];
  for (const route of given) routes.put(route);
  assert.equal(muxOf("10.9.9.9"), 3);
  assert.equal(routes.remove(routeOf("10.0.0.2/8", 99)), true);
  assert.equal(muxOf("10.9.9.9"), 2);
  assert.equal(routes.remove(routeOf("10.0.0.2/8", 3)), false);
  assert.equal(routes.remove(routeOf("10.0.0.1/9", 2)), false);
  assert.equal(routes.remove(routeOf("10.0.0.1/8", 2)), true);
  assert.equal(muxOf("10.9.9.9"), 1);
  assert.equal(routes.remove(routeOf("10.0.0.0/7", 1)), true);
  assert.equal(muxOf("10.9.9.9"), -1);
  assert.deepEqual(routes.list(), []);
});

Deno.test("what was removed makes room for other routes", () => {
  const routes = new Routes();
  const ethernet = (value: number) => ({
    network: { family: "ethernet" as const, value: BigInt(value) },
    prefixLength: 48,
    mux: 1,
  });
  for (let i = 0; i < MAX_PREFIXES; i++) routes.put(ethernet(i));
  assert.equal(routes.put(ethernet(MAX_PREFIXES)), false);
  assert.equal(routes.remove(ethernet(7)), true);
  assert.equal(routes.put(ethernet(MAX_PREFIXES)), true);
});

Deno.test("put() takes no more routes of a family than the table holds", () => {
  const routes = new Routes();
  const host = (number: number) =>
    routeOf(`10.${number >> 16}.${number >> 8 & 255}.${number & 255}/32`, 1);
  for (let i = 0; i < MAX_PREFIXES; i++) routes.put(host(2 * i));
  assert.equal(routes.put(host(1)), false);
  assert.equal(routes.put({ ...host(0), mux: 2 }), true);
  assert.equal(routes.put(routeOf("fd00::/8", 1)), true);
  const table = new RouteTable(RouteTable.allocate());
  routes.publish(table);
  assert.equal(table.lookupIpv4(ipAddress("10.0.0.0").bytes, 0), 2);
  assert.equal(table.lookupIpv4(ipAddress("10.0.0.1").bytes, 0), -1);
});

/** A small table that has the destination in another place than the others. */
function rangesAround(destination: string, mux: number): AddressRanges {
  const ranges = new AddressRanges(1);
  const put = (text: string, length: number, mux: number) =>
    ranges.put(ipAddress(text).bytes, length, mux);
  for (let k = 0; k < 4 * mux; k++) put(`0.0.${k}.0`, 24, 8 + k % 2);
  put("10.0.0.0", 8, 8);
  put(destination, 32, mux);
  return ranges;
}

Deno.test("another thread never reads half of one table and half of another", async () => {
  // Three of them, since each copy in turn takes two: what a slow reader
  // reads is then overwritten with something else.
  const muxes = [1, 2, 3];
  const tables = muxes.map((mux) => rangesAround("10.0.0.1", mux));
  const table = new RouteTable(RouteTable.allocate());
  const nothing = new AddressRanges(4);
  const publish = (turn: number) =>
    table.publish(tables[turn % 3] ?? nothing, nothing);
  publish(0);

  const places = new Int32Array(new SharedArrayBuffer(12));
  const url = new URL("../../fakes/route_reader.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const order: ReaderOrder = {
    table: table.shared,
    places: places.buffer,
    destination: Uint8Array.of(10, 0, 0, 1),
    muxes,
  };
  worker.postMessage(order);
  const changes = () => Atomics.load(places, ReaderPlace.CHANGES);
  while (changes() === 0) await new Promise((begun) => setTimeout(begun));
  // As often as it takes, but not for ever where both share one processor.
  for (let turn = 1; turn < 1_000_000 && changes() < 100_000; turn++) {
    publish(turn);
  }
  Atomics.store(places, ReaderPlace.STOP, 1);
  worker.terminate();
  assert.equal(places[ReaderPlace.WRONG], 0);
});
