import assert from "node:assert/strict";
import { readRoute } from "../../../ffi/tuntap/device_routes.ts";
import { readNetwork } from "../../../ffi/tuntap/other_networks.ts";
import { ROUTE_PROTOCOL } from "../../../ffi/tuntap/route_numbers.ts";
import { readPart } from "../../../ffi/tuntap/rtnetlink.ts";

const [AF_INET, AF_INET6] = [2, 10];
const INDEX = 0x01020304;

function attribute(type: number, ...value: number[]): number[] {
  const padding = Array(-value.length & 3).fill(0);
  return [4 + value.length, 0, type, 0, ...value, ...padding];
}

function route(
  { family = AF_INET, length = 24, table = 254, protocol = ROUTE_PROTOCOL },
  ...attributes: number[][]
): Uint8Array {
  const head = [family, length, 0, 0, table, protocol, 0, 1, 0, 0, 0, 0];
  return Uint8Array.from([...head, ...attributes.flat()]);
}

const TO = attribute(1, 10, 77, 0, 0);
const OVER = attribute(4, 4, 3, 2, 1);

Deno.test("a route of ours is read with network, length and metric", () => {
  const metric = attribute(6, 7, 1, 0, 0);
  assert.deepEqual(readRoute(route({}, TO, OVER, metric), INDEX), {
    network: Uint8Array.of(10, 77, 0, 0),
    length: 24,
    metric: 263,
  });
  const all = readRoute(route({ family: AF_INET6, length: 0 }, OVER), INDEX);
  assert.deepEqual(all, { network: new Uint8Array(16), length: 0, metric: 0 });
});

Deno.test("routes of other protocols, tables and devices are not ours", () => {
  for (
    const other of [
      route({ protocol: 4 }, TO, OVER),
      route({ table: 255 }, TO, OVER),
      route({ family: 7 }, TO, OVER),
      route({}, TO, attribute(4, 5, 3, 2, 1)),
      route({}, TO),
    ]
  ) {
    assert.equal(readRoute(other, INDEX), undefined);
  }
});

Deno.test("a route that is cut or spoilt is none", () => {
  const whole = route({}, TO, OVER);
  for (let size = 0; size < whole.length; size++) {
    assert.equal(
      readRoute(whole.subarray(0, size), INDEX),
      undefined,
      `${size}`,
    );
  }
  const long = attribute(1, ...Array(16).fill(1));
  assert.equal(readRoute(route({}, long, OVER), INDEX), undefined);
  assert.equal(readRoute(route({ length: 33 }, TO, OVER), INDEX), undefined);
  const none = route({}, [3, 0, 1, 0], OVER);
  assert.equal(readRoute(none, INDEX), undefined);
});

Deno.test("a network that the host is in is that of an address of another device", () => {
  const address = (family: number, length: number, ...attributes: number[][]) =>
    Uint8Array.from([
      family,
      length,
      0x80,
      0,
      5,
      3,
      2,
      1,
      ...attributes.flat(),
    ]);
  const own = attribute(2, 192, 168, 1, 7);
  const other = attribute(1, 192, 168, 1, 9);
  const whole = address(AF_INET, 24, own, other);
  const found = { address: Uint8Array.of(192, 168, 1, 9), length: 24 };
  assert.deepEqual(readNetwork(whole, INDEX), found);
  assert.equal(readNetwork(whole, INDEX + 1), undefined, "its own device");
  for (let size = 0; size < whole.length; size++) {
    assert.equal(readNetwork(whole.subarray(0, size), INDEX), undefined);
  }
  const long = attribute(1, ...Array(16).fill(1));
  for (
    const odd of [
      ...[address(AF_INET, 33, other), address(AF_INET, 24, long)],
      ...[address(7, 24, other), address(AF_INET, 24, own)],
    ]
  ) assert.equal(readNetwork(odd, INDEX), undefined);
  assert.equal(readNetwork(address(AF_INET6, 64, long), INDEX)?.length, 64);
});

function netlink(type: number, sequence: number, body: number[]): number[] {
  const size = 16 + body.length;
  return [size, 0, 0, 0, type, 0, 2, 0, sequence, 0, 0, 0, 0, 0, 0, 0, ...body];
}

Deno.test("a list is read to its end, without what does not belong to it", () => {
  const bodies: Uint8Array[] = [];
  const part = (...messages: number[][]) =>
    readPart(Uint8Array.from(messages.flat()), 5, 24, bodies);
  const first = part(
    netlink(24, 5, [1, 2, 3, 4]),
    netlink(24, 4, [9, 9, 9, 9]),
    netlink(25, 5, [8, 8, 8, 8]),
  );
  assert.equal(first, undefined, "it goes on");
  assert.equal(
    part(netlink(24, 5, [5, 6, 7, 8]), netlink(3, 5, [0, 0, 0, 0])),
    0,
  );
  assert.deepEqual(bodies.map((body) => [...body]), [[1, 2, 3, 4], [
    5,
    6,
    7,
    8,
  ]]);
  assert.equal(part(netlink(2, 5, [255, 255, 255, 255])), 1);
  assert.equal(part([15, ...Array(15).fill(0)]), 5, "shorter than a header");
  assert.equal(part([99, ...Array(15).fill(0)]), 5, "longer than what came");
});
