import { strict as assert } from "node:assert";
import { counting, udpPacket } from "../../../lab/packets.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import type { MtuDiscovery } from "../../../src/tunnel/settings.ts";
import type { PlaneRig, PlaneUnderTest } from "../../fakes/plane_rig.ts";
import { planeOptions, planeTest } from "../../fakes/plane_rigs.ts";
import { TOO_BIG_BYTES } from "../../../src/offload/too_big.ts";
import { TooBig } from "../../../src/tunnel/too_big.ts";
import { tooBig } from "../../oracles/slow_too_big.ts";
import { usualVector } from "../../vectors/satp.ts";

const MUX = 3;
const VECTOR = usualVector("too long");

/** Bytes of a path's packet that are not the one inside: of IPv4. */
const OVERHEAD = 20 + 8 + 8 + 2 + 10;

/** What fits a datagram of 1600 bytes. */
const MOST = 1580;

async function start(
  rig: PlaneRig,
  mtuDiscovery: MtuDiscovery,
): Promise<PlaneUnderTest> {
  const changes = { mux: MUX, remote: "home", windowSize: 64 } as const;
  return await rig.start(
    await planeOptions(VECTOR, { ...changes, mtuDiscovery }),
  );
}

/** A packet of so many bytes. */
function packet(bytes: number, version: 4 | 6 = 4, fragment = 0x4000) {
  const headers = version === 4 ? 28 : 48;
  const payload = counting(bytes - headers);
  return udpPacket({ version, fragment }, { payload });
}

/** Sends a packet; returns what comes back over the device, and what leaves. */
async function pass(plane: PlaneUnderTest, packet: Uint8Array) {
  const before = plane.outcome().packets.length;
  const { length } = await plane.send([packet]);
  return { left: length, back: plane.outcome().packets.slice(before) };
}

planeTest(
  "who sends what fits no datagram is told how long it may be",
  async (rig) => {
    await using plane = await start(rig, "no");
    assert.deepEqual(await pass(plane, packet(MOST)), { left: 1, back: [] });
    for (const version of [4, 6] as const) {
      const long = packet(MOST + 1, version);
      const { left, back } = await pass(plane, long);
      assert.equal(left, 0);
      assert.deepEqual(back, [tooBig(long, MOST)]);
    }
    const mayBeCut = packet(MOST + 1, 4, 0);
    assert.deepEqual(await pass(plane, mayBeCut), { left: 0, back: [] });
    assert.equal(plane.planeCounter(PlaneCounter.TOO_LONG_OUT), 3);
    assert.equal(plane.planeCounter(PlaneCounter.TOO_BIG_ANSWERED), 2);
  },
);

planeTest(
  "who sends what the path does not take in one piece is told, where datagrams are not to be cut",
  async (rig) => {
    await using plane = await start(rig, "maybe");
    plane.table.endpoints.setPathMtu(MUX, 1400);
    const room = 1400 - OVERHEAD;
    for (const version of [4, 6] as const) {
      const fits = packet(room, version);
      assert.deepEqual(await pass(plane, fits), { left: 1, back: [] });
      const long = packet(room + 1, version);
      const { left, back } = await pass(plane, long);
      assert.equal(left, 0);
      assert.deepEqual(back, [tooBig(long, room)]);
    }
    const mayBeCut = packet(room + 1, 4, 0);
    assert.deepEqual(await pass(plane, mayBeCut), { left: 1, back: [] });

    // No host makes packets of IPv6 shorter than that: the datagram is cut.
    plane.table.endpoints.setPathMtu(MUX, 1280);
    assert.deepEqual(await pass(plane, packet(1280, 6)), { left: 1, back: [] });
    const long = packet(1281, 6);
    const { back } = await pass(plane, long);
    assert.deepEqual(back, [tooBig(long, 1280)]);

    plane.table.endpoints.setPathMtu(MUX, 0);
    assert.deepEqual(await pass(plane, packet(MOST)), { left: 1, back: [] });
    assert.equal(
      plane.connectionCounter(ConnectionCounter.PACKETS_OUT, MUX),
      5,
    );
  },
);

planeTest(
  "packets that routers may cut pass, whatever is known of the path",
  async (rig) => {
    await using plane = await start(rig, "no");
    plane.table.endpoints.setPathMtu(MUX, 600);
    for (const version of [4, 6] as const) {
      assert.deepEqual(
        await pass(plane, packet(1400, version)),
        { left: 1, back: [] },
      );
    }
  },
);

planeTest(
  "answers about packets that are too long come at a limited rate",
  async (rig) => {
    await using plane = await start(rig, "maybe");
    plane.table.endpoints.setPathMtu(MUX, 1000);
    const flood = new Array<Uint8Array>(300).fill(packet(1400));
    const before = plane.outcome().packets.length;
    const began = performance.now();
    for (let k = 0; k < flood.length; k += 20) {
      await plane.send(flood.slice(k, k + 20));
    }
    const seconds = (performance.now() - began) / 1000;
    const answers = plane.outcome().packets.length - before;
    assert.ok(answers >= 50, `${answers}`);
    assert.ok(answers <= 51 + seconds * 200, `${answers} in ${seconds} s`);
    assert.equal(plane.planeCounter(PlaneCounter.TOO_LONG_OUT), 300);
  },
);

/** What a device gets, by a clock that the test moves. */
function answering(type: "tun" | "tap") {
  const state = { answers: 0, now: 0 };
  const answers = new TooBig(type, new Float64Array(PLANE_COUNTERS), {
    ...{ memory: new Uint8Array(TOO_BIG_BYTES), at: 0 },
    deliver: () => void state.answers++,
    now: () => state.now,
  });
  const refuse = (packet: Uint8Array) =>
    answers.refuses(packet, 0, packet.length, 1000);
  return { state, refuse };
}

Deno.test("who was answered to the limit is answered again after a while", () => {
  const { state, refuse } = answering("tun");
  const refuseMany = () => {
    for (let k = 0; k < 100; k++) assert.ok(refuse(packet(1400)));
    return state.answers;
  };
  assert.equal(refuseMany(), 50);
  state.now = 100;
  assert.equal(refuseMany(), 50 + 20);
  state.now = 3_600_000;
  assert.equal(refuseMany(), 50 + 20 + 50);
});

Deno.test("nobody is answered about frames for many", () => {
  const { state, refuse } = answering("tap");
  const frame = (first: number) =>
    Uint8Array.of(
      ...[first, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00],
      ...packet(1400),
    );
  assert.ok(refuse(frame(0x02)));
  assert.equal(state.answers, 1);
  for (const many of [0x01, 0x33, 0xff]) assert.ok(!refuse(frame(many)));
  assert.equal(state.answers, 1);
});
