import { strict as assert } from "node:assert";
import { createSatpCodec } from "../../../mod.ts";
import { Routes } from "../../../src/route/routes.ts";
import { RouteTable } from "../../../src/route/table.ts";
import { ConnectionCounter } from "../../../src/tunnel/counters.ts";
import {
  SourceFilter,
  sourceFilterOf,
} from "../../../src/tunnel/source_filter.ts";
import { concat, counting, ipPacket, udpPacket } from "../../../lab/packets.ts";
import type { PlaneOptions } from "../../fakes/plane_rig.ts";
import { planeOptions, planeTest } from "../../fakes/plane_rigs.ts";
import { ipAddress, routeOf } from "../../samples/routes.ts";
import { usualVector } from "../../vectors/satp.ts";

const ICMP = 1, ICMPV6 = 58;

type PrefixToMux = readonly (readonly [string, number])[];

function tableOf(...prefixes: PrefixToMux): RouteTable {
  const table = new RouteTable(RouteTable.allocate());
  const routes = new Routes();
  for (const [prefix, mux] of prefixes) routes.put(routeOf(prefix, mux));
  routes.publish(table);
  return table;
}

/** UDP between these addresses. */
function packetOf(source: string, destination = source): Uint8Array {
  const { family, bytes } = ipAddress(source);
  const packet = udpPacket({ version: family }, { payload: counting(30) });
  packet.set(bytes, family === 4 ? 12 : 8);
  packet.set(ipAddress(destination).bytes, family === 4 ? 16 : 24);
  return packet;
}

/** An ICMP error from a router about a packet to a destination. */
function errorFrom(
  router: string,
  type: number,
  destination: string,
  fragment = 0,
): Uint8Array {
  const { family, bytes } = ipAddress(router);
  const about = packetOf(destination);
  const body = concat(Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0), about);
  const fields = { version: family, fragment };
  const packet = ipPacket(fields, family === 4 ? ICMP : ICMPV6, body);
  packet.set(bytes, family === 4 ? 12 : 8);
  return packet;
}

/** Whether it passes where it lies in the middle of a memory. */
function passes(filter: SourceFilter, packet: Uint8Array, mux: number) {
  const memory = new Uint8Array(packet.length + 100).fill(0x45);
  memory.set(packet, 7);
  return filter.passes(memory, 7, packet.length, mux);
}

const FILTER = new SourceFilter(tableOf(
  ["10.1.0.0/16", 1],
  ["10.1.9.0/24", 2],
  ["fd00:1::/32", 1],
  ["fd00:2::/32", 2],
));

Deno.test("a connection may send from what is routed to it, by the longest prefix", () => {
  const muxes = (source: string) =>
    [0, 1, 2, 3].filter((mux) => passes(FILTER, packetOf(source), mux));
  assert.deepEqual(muxes("10.1.2.3"), [1]);
  assert.deepEqual(muxes("10.1.9.3"), [2]);
  assert.deepEqual(muxes("10.2.0.1"), []);
  assert.deepEqual(muxes("fd00:1::1"), [1]);
  assert.deepEqual(muxes("fd00:2::1"), [2]);
  assert.deepEqual(muxes("fd00:3::1"), []);
});

Deno.test("the destination of a packet does not matter to its source filter", () => {
  assert.ok(passes(FILTER, packetOf("10.1.2.3", "10.1.9.9"), 1));
  assert.equal(passes(FILTER, packetOf("10.1.9.9", "10.1.2.3"), 1), false);
});

Deno.test("a default route lets its connection send from all that is routed nowhere else", () => {
  const filter = new SourceFilter(tableOf(
    ["0.0.0.0/0", 7],
    ["::/0", 7],
    ["10.1.0.0/16", 1],
    ["fd00:1::/32", 1],
  ));
  for (const source of ["192.0.2.1", "2001:db8::1", "fe80::1"]) {
    assert.ok(passes(filter, packetOf(source), 7), source);
    assert.equal(passes(filter, packetOf(source), 1), false, source);
  }
  for (const source of ["10.1.2.3", "fd00:1::1"]) {
    assert.equal(passes(filter, packetOf(source), 7), false, source);
    assert.ok(passes(filter, packetOf(source), 1), source);
  }
});

Deno.test("without a single route every source passes, with one of another family none", () => {
  for (const source of ["192.0.2.1", "fe80::1"]) {
    assert.ok(passes(new SourceFilter(tableOf()), packetOf(source), 3));
    const other = source.includes(":") ? "10.0.0.0/8" : "fd00::/8";
    const filter = new SourceFilter(tableOf([other, 3]));
    assert.equal(passes(filter, packetOf(source), 3), false);
  }
});

Deno.test("routes that come and go are followed at once", () => {
  const table = new RouteTable(RouteTable.allocate());
  const routes = new Routes();
  const filter = new SourceFilter(table);
  const muxes = () =>
    [1, 2].filter((mux) => passes(filter, packetOf("10.1.2.3"), mux));
  assert.deepEqual(muxes(), [1, 2]);
  for (const mux of [1, 2]) {
    routes.put(routeOf("10.1.0.0/16", mux));
    routes.publish(table);
    assert.deepEqual(muxes(), [mux]);
  }
  routes.remove(routeOf("10.1.0.0/16", 2));
  routes.publish(table);
  assert.deepEqual(muxes(), [1, 2]);
});

Deno.test("link-local sources have to be routed like others", () => {
  assert.equal(passes(FILTER, packetOf("fe80::1"), 1), false);
  assert.equal(passes(FILTER, packetOf("::"), 1), false);
  assert.equal(passes(FILTER, packetOf("169.254.0.1"), 1), false);
  const filter = new SourceFilter(tableOf(["fe80::/10", 1]));
  assert.ok(passes(filter, packetOf("fe80::1"), 1));
});

Deno.test("what has no whole IP header has no source", () => {
  const [v4, v6] = [packetOf("10.1.2.3"), packetOf("fd00:1::1")];
  assert.ok(passes(FILTER, v4.subarray(0, 20), 1));
  assert.equal(passes(FILTER, v4.subarray(0, 19), 1), false);
  assert.ok(passes(FILTER, v6.subarray(0, 40), 1));
  assert.equal(passes(FILTER, v6.subarray(0, 39), 1), false);
  assert.equal(passes(FILTER, v4.with(0, 0x55), 1), false);
});

for (
  const { family, router, to, elsewhere, errors, others } of [
    {
      family: "ICMP",
      router: "172.16.0.1",
      to: "10.1.2.3",
      elsewhere: "10.1.9.3",
      errors: [3, 11, 12],
      others: [0, 5, 8],
    },
    {
      family: "ICMPv6",
      router: "fd99::1",
      to: "fd00:1::5",
      elsewhere: "fd00:2::5",
      errors: [1, 2, 3, 4],
      others: [0, 128, 129, 134, 137],
    },
  ]
) {
  Deno.test(`an ${family} error may come from any router, if it is about a packet to this connection`, () => {
    for (const type of errors) {
      assert.ok(passes(FILTER, errorFrom(router, type, to), 1), `${type}`);
      for (const mux of [0, 2]) {
        assert.equal(passes(FILTER, errorFrom(router, type, to), mux), false);
      }
      assert.equal(
        passes(FILTER, errorFrom(router, type, elsewhere), 1),
        false,
        `${type} about a packet to another connection`,
      );
    }
    for (const type of others) {
      const what = errorFrom(router, type, to);
      assert.equal(passes(FILTER, what, 1), false, `${type} is no error`);
    }
  });

  Deno.test(`an ${family} error that quotes no whole header is none, and nothing behind it is read`, () => {
    const [type = 0] = errors;
    const whole = errorFrom(router, type, to);
    const header = family === "ICMP" ? 20 : 40;
    for (let size = 0; size < whole.length; size++) {
      assert.equal(
        passes(FILTER, whole.subarray(0, size), 1),
        size >= 2 * header + 8,
        `${size} bytes`,
      );
    }
    const other = family === "ICMP" ? 0x65 : 0x45;
    assert.equal(passes(FILTER, whole.with(header + 8, other), 1), false);
  });
}

Deno.test("a fragment is no ICMP error, nor is a packet of another protocol", () => {
  for (const fragment of [1, 0x2000, 0x1fff]) {
    const part = errorFrom("172.16.0.1", 3, "10.1.2.3", fragment);
    assert.equal(passes(FILTER, part, 1), false);
  }
  const whole = errorFrom("172.16.0.1", 3, "10.1.2.3", 0x4000);
  assert.ok(passes(FILTER, whole, 1));
  assert.equal(passes(FILTER, whole.with(9, 17), 1), false);
  assert.equal(passes(FILTER, whole.with(0, 0x44), 1), false);
  const v6 = errorFrom("fd99::1", 2, "fd00:1::5");
  assert.equal(passes(FILTER, v6.with(6, 17), 1), false);
});

Deno.test("there is a filter where IP is routed, unless any source may send", () => {
  const routes = tableOf();
  const tun = { deviceType: "tun", anySource: false } as const;
  assert.ok(sourceFilterOf(tun, routes));
  assert.equal(sourceFilterOf(tun, undefined), undefined);
  assert.equal(sourceFilterOf({ ...tun, anySource: true }, routes), undefined);
  assert.equal(
    sourceFilterOf({ ...tun, deviceType: "tap" }, routes),
    undefined,
  );
});

const VECTOR = usualVector("source tests");

function given(
  prefixes: PrefixToMux,
  more: Partial<PlaneOptions> = {},
): Promise<PlaneOptions> {
  const routes = tableOf(...prefixes);
  return planeOptions(VECTOR, { mux: 1, remote: "home", routes, ...more });
}

async function sealAll(
  packets: readonly Uint8Array[],
  mux = 1,
  payloadType?: number,
): Promise<Uint8Array[]> {
  const { passphrase } = VECTOR;
  const codec = await createSatpCodec({ passphrase, role: "right", mux });
  return await Promise.all(packets.map((payload, seq) =>
    codec.seal({
      seq,
      payloadType: payloadType ??
        ((payload[0] ?? 0) >>> 4 === 6 ? 0x86dd : 0x0800),
      payload,
    })
  ));
}

const OWN = [packetOf("10.1.2.3"), packetOf("fd00:1::1")];
const FOREIGN = [
  packetOf("10.1.9.9"),
  packetOf("fe80::1"),
  packetOf("fd00:2::1"),
];

planeTest(
  "packets from sources that are routed elsewhere are dropped, counted and said",
  async (rig) => {
    await using plane = await rig.start(
      await given([
        ["10.1.0.0/16", 1],
        ["10.1.9.0/24", 2],
        ["fd00:1::/32", 1],
      ]),
    );
    const { role, secrets } = await given([]);
    await plane.connect(2, { role, secrets, windowSize: 0 }, "away");
    const [first, second] = OWN;
    assert.ok(first && second);
    const mixed = [first, ...FOREIGN, second, new Uint8Array(60)];
    assert.deepEqual(await plane.receive(await sealAll(mixed), "home"), OWN);
    const count = (index: number, mux?: number) =>
      plane.connectionCounter(index, mux);
    assert.equal(count(ConnectionCounter.WRONG_SOURCE), 4);
    assert.equal(count(ConnectionCounter.PACKETS_IN), 2);
    const fromTwo = await sealAll([packetOf("10.1.9.9"), first], 2);
    assert.deepEqual(
      await plane.receive(fromTwo, "away"),
      [packetOf("10.1.9.9")],
    );
    assert.equal(count(ConnectionCounter.WRONG_SOURCE, 2), 1);
    assert.deepEqual(await plane.stop(), [
      "NOTICE: connection 1 has sent a packet from 10.1.9.9, which is not " +
      "routed to it: it needs a --route (--any-source lets it)",
      "NOTICE: connection 1 has sent a packet from fd00:2::1, which is not " +
      "routed to it: it needs a --route (--any-source lets it)",
      "NOTICE: connection 1 has sent a packet without an IP header " +
      "(--any-source lets it)",
      "NOTICE: connection 2 has sent a packet from 10.1.2.3, which is not " +
      "routed to it: it needs a --route (--any-source lets it)",
    ]);
  },
);

for (
  const [what, prefixes, more] of [
    ["no route is known", [], {}],
    ["any source may send", [["192.0.2.0/24", 2]], { anySource: true }],
  ] satisfies readonly [string, PrefixToMux, Partial<PlaneOptions>][]
) {
  planeTest(
    `packets of all sources are delivered where ${what}`,
    async (rig) => {
      await using plane = await rig.start(await given(prefixes, more));
      const all = [...OWN, ...FOREIGN];
      assert.deepEqual(await plane.receive(await sealAll(all), "home"), all);
    },
  );
}

planeTest("Ethernet frames are delivered whatever they hold", async (rig) => {
  await using plane = await rig.start(
    await given([["192.0.2.0/24", 2]], { deviceType: "tap" }),
  );
  const frames = [udpPacket({ link: "ethernet" }, {}), FOREIGN[0]].flatMap(
    (frame) => frame ?? [],
  );
  const sealed = await sealAll(frames, 1, 0x6558);
  assert.deepEqual(await plane.receive(sealed, "home"), frames);
});
