import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodec } from "../../../mod.ts";
import { readSeq } from "../../../src/satp/header.ts";
import { ConnectionCounter } from "../../../src/tunnel/counters.ts";
import { until } from "../../../lab/until.ts";
import type { PlaneOptions } from "../../fakes/plane_rig.ts";
import { planeOptions, planeTest } from "../../fakes/plane_rigs.ts";
import { secretsOf, usualVector } from "../../vectors/satp.ts";

const VECTOR = usualVector("keep-alive tests");
const MUX = 3;
const PACKET = new Uint8Array(40).fill(0x45);
/** Header, payload type and tag. */
const EMPTY_BYTES = 8 + 2 + 10;

function given(): Promise<PlaneOptions> {
  return planeOptions(VECTOR, { mux: MUX, remote: "home", windowSize: 64 });
}

function codecOf(role: "left" | "right"): Promise<SatpCodec> {
  const { passphrase } = VECTOR;
  return createSatpCodec({ passphrase, role, mux: MUX });
}

planeTest(
  "a peer that is due gets one authentic datagram without payload, with a number of its own",
  async (rig) => {
    await using plane = await rig.start(await given());
    await plane.send([PACKET]);
    const before = plane.outcome().sent.length;
    plane.table.due.add([MUX, 9]);
    plane.sendDue();
    // Counted and sent, in whichever order: what is sent below counts, too.
    await until(
      "something is sent",
      60,
      () =>
        plane.outcome().sent.length > before &&
        plane.connectionCounter(ConnectionCounter.KEEPALIVES_OUT) > 0,
    );
    const [{ datagram, to } = {}] = plane.outcome().sent.slice(before);
    assert.ok(datagram);
    assert.equal(to, "home");
    assert.equal(datagram.length, EMPTY_BYTES);
    const { payload } = await (await codecOf("right")).open(datagram);
    assert.equal(payload.length, 0);
    const [after] = await plane.send([PACKET]);
    assert.ok(after);
    const numbers = plane.outcome().sent
      .map(({ datagram }) => readSeq(datagram, 0));
    assert.deepEqual(numbers, [0, 1, 2]);
    assert.equal(plane.connectionCounter(ConnectionCounter.KEEPALIVES_OUT), 1);
    assert.equal(plane.connectionCounter(ConnectionCounter.PACKETS_OUT), 2);
    assert.equal(plane.table.due.take(0), -1);
  },
);

planeTest(
  "a datagram without payload is of the type of the device",
  async (rig) => {
    for (
      const [deviceType, type] of [["tun", 0x0800], ["tap", 0x6558]] as const
    ) {
      await using plane = await rig.start({
        ...await given(),
        deviceType,
      });
      plane.table.due.add([MUX]);
      plane.sendDue();
      await until(
        "something is sent",
        60,
        () => plane.outcome().sent.length > 0,
      );
      const [{ datagram } = {}] = plane.outcome().sent;
      assert.ok(datagram);
      const { payloadType } = await (await codecOf("right")).open(datagram);
      assert.equal(payloadType, type, deviceType);
    }
  },
);

planeTest(
  "nobody is sent anything who is due and nowhere",
  async (rig) => {
    const { remote: _, ...nowhere } = await given();
    await using plane = await rig.start(nowhere);
    const { role, windowSize = 0 } = nowhere;
    const secrets = await secretsOf({ ...VECTOR, passphrase: "another" });
    await plane.connect(9, { role, secrets, windowSize }, "home");
    plane.table.due.add([MUX, 9]);
    plane.sendDue();
    // In ascending order.
    await until(
      "something is sent to the other one",
      60,
      () => plane.outcome().sent.length > 0,
    );
    assert.equal(plane.connectionCounter(ConnectionCounter.KEEPALIVES_OUT), 0);
    const { KEEPALIVES_OUT } = ConnectionCounter;
    assert.equal(plane.connectionCounter(KEEPALIVES_OUT, 9), 1);
    assert.equal(plane.outcome().sent.length, 1);
  },
);

planeTest(
  "a datagram without payload moves the endpoint, counts as heard, and reaches no device",
  async (rig) => {
    await using plane = await rig.start(await given());
    const codec = await codecOf("right");
    const empty = (seq: number) =>
      codec.seal({ seq, payloadType: 0x0800, payload: new Uint8Array() });
    assert.deepEqual(await plane.receive([await empty(1)], "home"), []);
    const heard = plane.table.lastHeard(MUX);
    assert.ok(heard !== undefined);
    assert.deepEqual(await plane.receive([await empty(2)], "away"), []);
    assert.equal(plane.remote(), "away");
    assert.equal(plane.connectionCounter(ConnectionCounter.NO_PAYLOAD), 2);
    assert.equal(plane.connectionCounter(ConnectionCounter.PACKETS_IN), 0);
    assert.deepEqual(await plane.receive([await empty(2)], "attacker"), []);
    assert.equal(plane.connectionCounter(ConnectionCounter.REPLAYED), 1);
  },
);
