import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodec } from "../../../mod.ts";
import {
  ConnectionCounter,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import { planeTest } from "../../fakes/plane_rigs.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";

const MUX = 3;
const VECTOR = usualVector("removal tests");

function packet(k: number): Uint8Array {
  return new Uint8Array(40).fill(k).with(0, 0x45);
}

/** A peer that knows the keys, and whose datagrams are of this mux. */
function peerOf(mux: number): Promise<SatpCodec> {
  const { passphrase } = VECTOR;
  return createSatpCodec({ passphrase, role: "right", mux });
}

async function sealed(
  codec: SatpCodec,
  ...seqs: readonly number[]
): Promise<Uint8Array[]> {
  return await Promise.all(
    seqs.map((seq) =>
      codec.seal({ seq, payloadType: 0x0800, payload: packet(seq) })
    ),
  );
}

planeTest(
  "a removed connection carries nothing in either direction, and goes on where it was when it is back",
  async (rig) => {
    const secrets = await secretsOf(VECTOR);
    const keys = { role: "left", secrets, windowSize: 64 } as const;
    await using plane = await rig.start({
      ...keys,
      params: paramsOf(VECTOR),
      mux: MUX,
      remote: "home",
    });
    const codec = await peerOf(MUX);
    const recorded = await sealed(codec, 5, 6);
    assert.equal((await plane.receive(recorded, "home")).length, 2);
    assert.equal((await plane.send([packet(1), packet(2)])).length, 2);

    plane.table.remove(MUX);
    const later = await sealed(codec, 7);
    assert.deepEqual(await plane.receive(later, "home"), []);
    assert.deepEqual(await plane.send([packet(3)]), []);
    assert.equal(plane.planeCounter(PlaneCounter.UNKNOWN_MUX), 1);
    assert.equal(plane.planeCounter(PlaneCounter.NOWHERE_TO_SEND), 1);
    assert.equal(plane.remote(MUX), undefined);

    await plane.connect(MUX, keys, "home");
    assert.deepEqual(await plane.receive(recorded, "attacker"), []);
    assert.equal(
      plane.connectionCounter(ConnectionCounter.REPLAYED),
      2,
      "a recording from before stays one",
    );
    assert.equal(plane.remote(MUX), "home");
    assert.deepEqual(await plane.receive(later, "home"), [packet(7)]);
    const [sent] = await plane.send([packet(4)]);
    assert.ok(sent);
    assert.equal((await codec.open(sent.datagram)).seq, 2);
  },
);

planeTest(
  "a peer is heard by what is authentic and new, and by nothing else",
  async (rig) => {
    const secrets = await secretsOf(VECTOR);
    const params = paramsOf(VECTOR);
    await using plane = await rig.start({
      ...{ params, secrets, role: "left", windowSize: 64, mux: MUX },
    });
    const [datagram] = await sealed(await peerOf(MUX), 5);
    assert.ok(datagram);
    const heard = () => plane.table.lastHeard(MUX);
    await plane.receive([datagram.with(20, 1)], "home");
    assert.equal(heard(), undefined);
    await plane.receive([datagram], "home");
    const first = heard();
    assert.ok(first !== undefined && first > 0);
    await plane.receive([datagram], "attacker");
    assert.equal(heard(), first);
  },
);

planeTest(
  "where the connection of the lowest mux is removed, the next one carries",
  async (rig) => {
    const secrets = await secretsOf(VECTOR);
    const keys = { role: "left", secrets, windowSize: 64 } as const;
    const params = paramsOf(VECTOR);
    await using plane = await rig.start({
      ...{ ...keys, params, mux: MUX, remote: "home" },
    });
    await plane.connect(MUX + 2, keys, "attacker");
    const to = async () => (await plane.send([packet(1)])).map(({ to }) => to);
    assert.deepEqual(await to(), ["home"]);
    plane.table.remove(MUX);
    assert.deepEqual(await to(), ["attacker"]);
    const datagrams = await sealed(await peerOf(MUX + 2), 1);
    assert.equal((await plane.receive(datagrams, "attacker")).length, 1);
  },
);
