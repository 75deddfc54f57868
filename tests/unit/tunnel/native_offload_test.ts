import assert from "node:assert/strict";
import fc from "fast-check";
import { createSatpCodec, type SatpCodec } from "../../../mod.ts";
import {
  ConnectionCounter,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import { fastestEngine } from "../../../lab/engines.ts";
import { NativeRig, type NativeRigOptions } from "../../fakes/native_rig.ts";
import { whyNoUdpOffload } from "../../fakes/native_rig_peer.ts";
import {
  ACK,
  counting,
  CWR,
  FIN,
  type IpFields,
  PSH,
  SYN,
  tcpPacket,
  timestamps,
  udpPacket,
} from "../../../lab/packets.ts";
import { until } from "../../../lab/until.ts";
import type { SentDatagram } from "../../fakes/plane_rig.ts";
import { Routes } from "../../../src/route/routes.ts";
import { RouteTable } from "../../../src/route/table.ts";
import { routeOf } from "../../samples/routes.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";
import {
  plain,
  segmentsOf,
  superPacket,
  unfinished,
} from "../../../lab/super_packets.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { tooBig } from "../../oracles/slow_too_big.ts";
import { withLowerMss } from "../../oracles/slow_mss.ts";
import { toHex } from "../../vectors/vectors.ts";
import { testUnless } from "../../../lab/test_unless.ts";

const VECTOR = usualVector("offload tests");
/** What an inner connection has as payload of a packet at an MTU of 1400. */
const SEGMENT = 1348;
const ALL = {
  vnetHeader: true,
  gso: true,
  gro: true,
  coalesceTcp: true,
  coalesceUdp: true,
} as const;
const NONE = { vnetHeader: true } as const;

const missing = whyNoUdpOffload();
const engine = fastestEngine();

function offloadTest(name: string, body: () => Promise<void>): void {
  testUnless([missing], name, body);
}

async function start(
  options: Partial<NativeRigOptions> = {},
): Promise<NativeRig> {
  return await NativeRig.start({
    engine,
    workers: 2,
    params: paramsOf(VECTOR),
    secrets: await secretsOf(VECTOR),
    role: "left",
    remote: "home",
    windowSize: 1024,
    ...options,
  });
}

/** As text, or else a difference fills many screens. */
function assertPackets(
  actual: readonly Uint8Array[],
  expected: readonly Uint8Array[] | undefined,
): void {
  assert.deepEqual(actual.map(toHex), expected?.map(toHex));
}

function peer(): Promise<SatpCodec> {
  return createSatpCodec({ passphrase: VECTOR.passphrase, role: "right" });
}

async function opened(sent: readonly SentDatagram[]): Promise<Uint8Array[]> {
  const codec = await peer();
  return await Promise.all(
    sent.map(async ({ datagram }) => (await codec.open(datagram)).payload),
  );
}

async function sealAll(
  packets: readonly Uint8Array[],
  payloadType = 0x0800,
  firstSeq = 0,
): Promise<Uint8Array[]> {
  const codec = await peer();
  return await Promise.all(
    packets.map((payload, k) =>
      codec.seal({ seq: firstSeq + k, payloadType, payload })
    ),
  );
}

/** Segments of one TCP connection that follow on each other. */
function tcpTrain(
  count: number,
  ip: IpFields = {},
  port = 40000,
  size = SEGMENT,
): Uint8Array[] {
  return Array.from({ length: count }, (_, k) =>
    tcpPacket({ ...ip, id: k }, {
      port,
      sequence: 1000 + k * size,
      options: timestamps(9),
      payload: counting(size, k),
    }));
}

const SUPER_PACKETS: readonly (readonly [string, Uint8Array, number])[] = [
  ...([4, 6] as const).flatMap((version) => {
    const tcp = (size: number, flags = ACK) =>
      tcpPacket({ version }, {
        flags,
        options: timestamps(7),
        payload: counting(size),
      });
    const udp = (size: number) =>
      udpPacket({ version }, { payload: counting(size) });
    return [
      [`TCP over IPv${version}`, tcp(20 * SEGMENT + 77), SEGMENT],
      [
        `TCP over IPv${version} with PSH, FIN and CWR`,
        tcp(3 * SEGMENT, ACK | PSH | FIN | CWR),
        SEGMENT,
      ],
      [
        `TCP over IPv${version} in more segments than a batch`,
        tcp(60_000),
        400,
      ],
      [`as much TCP over IPv${version} as can be`, tcp(65_000), SEGMENT],
      [`UDP over IPv${version}`, udp(9 * 1200 + 1), 1200],
      [`UDP over IPv${version} in odd pieces`, udp(31 * 33), 33],
    ] as const;
  }),
];

for (const [what, packet, size] of SUPER_PACKETS) {
  offloadTest(
    `a super-packet of ${what} leaves as the packets it stands for`,
    async () => {
      await using rig = await start(ALL);
      const asRead = superPacket(packet, size);
      const expected = segmentsOf(asRead);
      const sent = await rig.handOver([asRead], expected.length);
      assertPackets(await opened(sent), expected);
      assert.ok(rig.joinedAt("home") >= expected.length - 2, "few were joined");
      const count = (index: number) => rig.connectionCounter(index);
      assert.equal(count(ConnectionCounter.PACKETS_OUT), expected.length);
      assert.equal(
        count(ConnectionCounter.BYTES_OUT),
        expected.reduce((sum, { length }) => sum + length, 0),
      );
    },
  );
}

offloadTest(
  "super-packets travel to a peer of IPv6, where there is one, and back",
  async () => {
    await using rig = await start({ ...ALL, remote: "away" });
    const asRead = superPacket(
      tcpPacket({}, { payload: counting(30 * SEGMENT) }),
      SEGMENT,
    );
    const sent = await rig.handOver([asRead], 30);
    assertPackets(await opened(sent), segmentsOf(asRead));
    assert.equal(rig.joinedAt("away"), 30);
    const packets = tcpTrain(30);
    const run = await sealAll(packets);
    assertPackets(await rig.receiveJoined([run], "away"), packets);
    assert.equal(rig.written.length, 1);
  },
);

const NEXT = udpPacket({}, { payload: counting(77) });

offloadTest(
  "packets that the device does not take are counted, and the next ones are carried",
  async () => {
    await using rig = await start({ ...ALL, windowSize: 0 });
    const [datagram, next] = await sealAll([...tcpTrain(1), NEXT]);
    assert.ok(datagram && next);
    const refused = () => rig.planeCounter(PlaneCounter.DEVICE_REFUSED);
    await until("the device does not take everything", 60, () => {
      for (let k = 0; k < 20; k++) rig.poke([datagram], "home");
      return refused() > 0;
    });
    await until("the device takes the next one", 60, () => {
      rig.collect();
      rig.poke([next], "home");
      return rig.packets.some((packet) => toHex(packet) === toHex(NEXT));
    });
  },
);

offloadTest("frames of a tap device are cut as well", async () => {
  await using rig = await start({ ...ALL, deviceType: "tap" });
  for (const link of ["ethernet", "vlan"] as const) {
    const packet = tcpPacket({ link }, { payload: counting(5 * 1000 + 3) });
    const asRead = superPacket(packet, 1000);
    const expected = segmentsOf(asRead);
    const sent = await rig.handOver([asRead], expected.length);
    assertPackets(await opened(sent), expected);
  }
});

offloadTest("a checksum that the kernel left open is finished", async () => {
  await using rig = await start(ALL);
  const packets = [
    tcpPacket({}, { payload: counting(99) }),
    udpPacket({ version: 6 }, { payload: counting(1) }),
  ];
  const sent = await rig.handOver(packets.map((p) => unfinished(p)), 2);
  assertPackets(await opened(sent), packets);
});

offloadTest("super-packets and single packets keep their order", async () => {
  await using rig = await start(ALL);
  const size = fc.integer({ min: 1, max: 1400 });
  const packet = fc.oneof(
    size.map((size) => ({ size, of: 0 })),
    fc.record({ size: fc.integer({ min: 1, max: 12_000 }), of: size }),
  );
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(packet, { minLength: 1, maxLength: 20 }),
      async (packets) => {
        const asRead = packets.map(({ size, of }) => {
          const whole = tcpPacket({}, {
            sequence: count++,
            payload: counting(size, count),
          });
          return of > 0 ? superPacket(whole, of) : plain(whole);
        });
        const wanted = asRead.filter((bytes) =>
          segmentsOf(bytes).length <= 400
        );
        const expected = wanted.flatMap(segmentsOf);
        const sent = await rig.handOver(wanted, expected.length);
        assertPackets(await opened(sent), expected);
      },
    ),
    { numRuns: 30, endOnFailure: true },
  );
});

offloadTest(
  "a malformed super-packet is dropped and counted, and harms no other",
  async () => {
    await using rig = await start(ALL);
    const good = tcpPacket({}, { payload: counting(50) });
    const cut = superPacket(tcpPacket({}, { payload: counting(5000) }), 1000)
      .slice(0, 40);
    const wrongKind = superPacket(
      udpPacket({}, { payload: counting(500) }),
      100,
    );
    wrongKind[1] = 1;
    const empty = new Uint8Array(10);
    const sent = await rig.handOver([cut, plain(good), wrongKind, empty], 4);
    assertPackets(await opened(sent), [good]);
    assert.equal(rig.planeCounter(PlaneCounter.MALFORMED_OUT), 3);
  },
);

offloadTest("without gso every datagram travels alone", async () => {
  await using rig = await start({ ...ALL, gso: false });
  const asRead = superPacket(
    tcpPacket({}, { payload: counting(20_000) }),
    SEGMENT,
  );
  const sent = await rig.handOver([asRead], 15);
  assertPackets(await opened(sent), segmentsOf(asRead));
  assert.equal(rig.joinedAt("home"), 0);
});

for (const version of [4, 6] as const) {
  const type = version === 4 ? 0x0800 : 0x86dd;

  offloadTest(
    `a train of TCP over IPv${version} reaches the device as super-packets`,
    async () => {
      await using rig = await start(ALL);
      const packets = tcpTrain(40, { version });
      const run = await sealAll(packets, type);
      assertPackets(await rig.receiveJoined([run], "home"), packets);
      assert.ok(rig.written.length <= 2, `${rig.written.length} were written`);
      const count = (index: number) => rig.connectionCounter(index);
      assert.equal(count(ConnectionCounter.PACKETS_IN), 40);
      assert.equal(rig.planeCounter(PlaneCounter.DEVICE_REFUSED), 0);
    },
  );

  offloadTest(
    `a train of UDP over IPv${version} reaches the device as super-packets`,
    async () => {
      await using rig = await start(ALL);
      const packets = Array.from(
        { length: 40 },
        (_, k) => udpPacket({ version, id: k }, { payload: counting(1200, k) }),
      );
      const run = await sealAll(packets, type);
      assertPackets(await rig.receiveJoined([run], "home"), packets);
      assert.ok(rig.written.length <= 2, `${rig.written.length} were written`);
    },
  );
}

offloadTest(
  "more datagrams than a batch holds, there at once, all reach the device in order",
  async () => {
    const packets = tcpTrain(240, {}, 40000, 100);
    const datagrams = await sealAll(packets);
    await using rig = await start({
      ...ALL,
      beforeStart(rig) {
        for (let k = 0; k < datagrams.length; k += 60) {
          rig.poke(datagrams.slice(k, k + 60), "home");
        }
      },
    });
    await until(
      () => `all packets have come, but ${rig.packets.length}`,
      60,
      () => {
        rig.collect();
        return rig.packets.length >= packets.length;
      },
    );
    assertPackets(rig.packets, packets);
  },
);

offloadTest(
  "of messages that are there at once each has its own sender",
  async () => {
    const packets = tcpTrain(9);
    const datagrams = await sealAll(packets);
    const [first] = datagrams;
    assert.ok(first);
    await using rig = await start({
      ...ALL,
      remote: "away",
      beforeStart(rig) {
        rig.poke([first.with(-1, (first.at(-1) ?? 0) ^ 1)], "attacker");
        rig.poke(datagrams, "home");
        rig.poke([first], "attacker");
      },
    });
    const count = (index: number) => rig.connectionCounter(index);
    await until(
      "it is refused",
      60,
      () => count(ConnectionCounter.REPLAYED) === 1,
    );
    assert.equal(count(ConnectionCounter.WRONG_TAG), 1);
    assert.equal(rig.remote(), "home");
  },
);

offloadTest("interleaved flows are joined each for itself", async () => {
  await using rig = await start(ALL);
  const flows = [1, 2, 3].map((n) => tcpTrain(12, { host: n }, 40000 + n));
  const packets = flows[0]?.flatMap((_, k) =>
    flows.flatMap((flow) =>
      flow.slice(k, k + 1)
    )
  ) ?? [];
  const run = await sealAll(packets);
  const written = await rig.receiveJoined([run], "home");
  const ofFlow = (all: readonly Uint8Array[], n: number) =>
    all.filter((packet) => packet[15] === n);
  for (const n of [1, 2, 3]) {
    assertPackets(ofFlow(written, n), flows[n - 1]);
  }
  assert.equal(written.length, packets.length);
  assert.equal(rig.written.length, 3);
});

offloadTest(
  "a packet with a wrong checksum reaches the device as it is, alone",
  async () => {
    await using rig = await start(ALL);
    const packets = tcpTrain(9);
    const spoilt = packets[4];
    assert.ok(spoilt);
    spoilt[100] = (spoilt[100] ?? 0) ^ 1;
    const run = await sealAll(packets);
    assertPackets(await rig.receiveJoined([run], "home"), packets);
    assert.ok(
      rig.written.some((bytes) =>
        bytes.length === 10 + spoilt.length && bytes[1] === 0
      ),
    );
    assert.equal(rig.written.length, 3);
  },
);

offloadTest("what is dropped within a train leaves no gap open", async () => {
  await using rig = await start(ALL);
  const packets = tcpTrain(10);
  const run = await sealAll(packets);
  const forged = run[5];
  assert.ok(forged);
  forged[20] = (forged[20] ?? 0) ^ 1;
  const again = [...run.slice(0, 3), ...run];
  const expected = packets.filter((_, k) => k !== 5);
  assertPackets(await rig.receiveJoined([again], "home"), expected);
  assert.equal(rig.written.length, 2);
});

offloadTest(
  "a packet with a source that is routed elsewhere is joined to no other",
  async () => {
    const table = new RouteTable(RouteTable.allocate());
    const routes = new Routes();
    routes.put(routeOf("10.0.0.1/32", 0));
    routes.put(routeOf("10.0.0.2/32", 5));
    routes.publish(table);
    await using rig = await start({ ...ALL, routes: table });
    const own = tcpTrain(10);
    const foreign = tcpTrain(10, { host: 2 });
    const run = await sealAll([
      ...own.slice(0, 5),
      ...foreign.slice(5, 7),
      ...own.slice(5),
    ]);
    assertPackets(await rig.receiveJoined([run], "home"), own);
    assert.equal(rig.connectionCounter(ConnectionCounter.WRONG_SOURCE), 2);
  },
);

for (
  const [what, options] of [
    ["no coalescing", { ...ALL, coalesceTcp: false, coalesceUdp: false }],
    ["no offload at all", NONE],
  ] as const
) {
  offloadTest(
    `with ${what} nothing is joined on the way to the device`,
    async () => {
      await using rig = await start(options);
      const tcp = tcpTrain(20);
      const udp = [0, 1, 2].map((k) =>
        udpPacket({ id: k }, { payload: counting(SEGMENT, k) })
      );
      const packets = [...tcp, ...udp];
      const runs = "gro" in options
        ? [await sealAll(tcp), await sealAll(udp, 0x0800, tcp.length)]
        : (await sealAll(packets)).map((datagram) => [datagram]);
      assertPackets(await rig.receiveJoined(runs, "home"), packets);
      assertPackets(rig.written, packets.map(plain));
    },
  );
}

offloadTest("TCP is joined without UDP, and UDP without TCP", async () => {
  for (const tcp of [true, false]) {
    await using rig = await start({
      ...ALL,
      coalesceTcp: tcp,
      coalesceUdp: !tcp,
    });
    const trains = [
      tcpTrain(8),
      [0, 1, 2, 3].map((k) =>
        udpPacket({ id: k }, { payload: counting(900, k) })
      ),
    ];
    const counts: number[] = [];
    let seq = 0;
    for (const packets of trains) {
      const before = rig.written.length;
      const run = await sealAll(packets, 0x0800, seq);
      seq += packets.length;
      assertPackets(await rig.receiveJoined([run], "home"), packets);
      counts.push(rig.written.length - before);
    }
    assert.deepEqual(counts, tcp ? [1, 4] : [8, 1]);
  }
});

offloadTest(
  "without a virtio header packets pass as they are in both directions",
  async () => {
    await using rig = await start({ gso: true, gro: true });
    const packets = tcpTrain(30);
    const run = await sealAll(packets);
    assertPackets(await rig.receiveJoined([run], "home"), packets);
    assertPackets(rig.written, packets);
    assertPackets(await opened(await rig.send(packets)), packets);
  },
);

offloadTest(
  "the MSS is lowered where the checksum is begun only, and in super-packets",
  async () => {
    const live = new LiveSettings();
    live.mss = 1300;
    await using rig = await start({ ...ALL, live });
    const options = [2, 4, 0x05, 0xb4];
    for (const version of [4, 6] as const) {
      const syn = tcpPacket({ version }, { flags: SYN, options });
      const begun = await opened(await rig.handOver([unfinished(syn)], 1));
      assertPackets(begun, [withLowerMss(syn, 1300)]);
      // As no kernel makes them, but a guest behind a bridge may.
      const payload = counting(3000);
      const many = superPacket(
        tcpPacket({ version }, { flags: SYN, options, payload }),
        SEGMENT,
      );
      const segments = segmentsOf(many);
      assert.equal(segments.length, 3);
      assertPackets(
        await opened(await rig.handOver([many], 3)),
        segments.map((segment) => withLowerMss(segment, 1300)),
      );
      const back = await sealAll(
        [syn],
        version === 4 ? 0x0800 : 0x86dd,
        version,
      );
      assertPackets(await rig.receive(back, "home"), [
        withLowerMss(syn, 1300),
      ]);
    }
    assert.equal(rig.planeCounter(PlaneCounter.MSS_LOWERED), 2 * 5);
  },
);

offloadTest(
  "who sends super-packets whose segments fit no datagram is told",
  async () => {
    await using rig = await start(ALL);
    const packet = tcpPacket({}, { flags: ACK, payload: counting(5000) });
    const long = superPacket(packet, 1600);
    assert.deepEqual(await rig.handOver([long], 1), []);
    const quoted = long.subarray(10);
    const answer = tooBig(quoted, 1580);
    assert.ok(answer);
    assertPackets(rig.outcome().packets, [answer]);
    assert.equal(rig.planeCounter(PlaneCounter.TOO_LONG_OUT), 1);
  },
);
