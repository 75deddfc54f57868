import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodec } from "../../../mod.ts";
import { endpointWords } from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import {
  readEndpoint,
  writeEndpoint,
} from "../../../src/tunnel/endpoint_words.ts";
import { ENDPOINT_SILENCE_MS } from "../../../src/tunnel/roaming.ts";
import { MemoryPlane } from "../../fakes/memory_plane.ts";
import type { PlaneOptions } from "../../fakes/plane_rig.ts";
import { planeOptions, planeTest } from "../../fakes/plane_rigs.ts";
import { usualVector } from "../../vectors/satp.ts";

const VECTOR = usualVector("roaming tests");
/** Before the bytes of an IPv4 address (RFC 4291 section 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const PACKET = new Uint8Array(40).fill(0x45);

function given(changes: Partial<PlaneOptions> = {}): Promise<PlaneOptions> {
  return planeOptions(VECTOR, changes);
}

function peer(mux = 3): Promise<SatpCodec> {
  const { passphrase } = VECTOR;
  return createSatpCodec({ passphrase, role: "right", mux });
}

async function sealed(codec: SatpCodec, seq: number): Promise<Uint8Array> {
  return await codec.seal({ seq, payloadType: 0x0800, payload: PACKET });
}

planeTest(
  "a peer is auto-detected by its first authentic datagram",
  async (rig) => {
    await using plane = await rig.start(await given());
    assert.deepEqual(await plane.send([PACKET]), []);
    assert.equal(plane.planeCounter(PlaneCounter.NOWHERE_TO_SEND), 1);
    const first = await sealed(await peer(), 0);
    assert.deepEqual(await plane.receive([first], "home"), [PACKET]);
    assert.equal(plane.remote(), "home");
    const second = await sealed(await peer(), 1);
    await plane.receive([second], "home");
    const sent = await plane.send([PACKET]);
    assert.deepEqual(sent.map(({ to }) => to), ["home"]);
    const [line = "", ...others] = await plane.stop();
    assert.match(line, /nowhere to send a packet.* connection 3 has not been/);
    assert.deepEqual(others, []);
    assert.deepEqual(plane.moved, [3], "told once, not with each datagram");
  },
);

planeTest("a forged datagram does not become the peer", async (rig) => {
  await using plane = await rig.start(await given());
  const forged = await sealed(await peer(), 0);
  forged[12] = (forged[12] ?? 0) ^ 1;
  assert.deepEqual(await plane.receive([forged], "attacker"), []);
  assert.equal(plane.remote(), undefined);
  assert.equal(plane.connectionCounter(ConnectionCounter.WRONG_TAG), 1);
  const [line = "", ...others] = await plane.stop();
  assert.match(line, /wrong Authentication Tag! .* attacker for connection 3/);
  assert.deepEqual(others, []);
});

planeTest(
  "an authentic datagram of another mux does not become the peer",
  async (rig) => {
    await using plane = await rig.start(await given());
    const datagram = await sealed(await peer(4), 0);
    assert.deepEqual(await plane.receive([datagram], "attacker"), []);
    assert.equal(plane.remote(), undefined);
    assert.equal(plane.planeCounter(PlaneCounter.UNKNOWN_MUX), 1);
  },
);

for (const windowSize of [0, 64]) {
  planeTest(
    `the endpoint follows the peer, with window ${windowSize}`,
    async (rig) => {
      await using plane = await rig.start(
        await given({ remote: "home", windowSize }),
      );
      const codec = await peer();
      await plane.receive([await sealed(codec, 1)], "home");
      await plane.receive([await sealed(codec, 2)], "away");
      assert.equal(plane.remote(), "away");
      const sent = await plane.send([PACKET]);
      assert.deepEqual(sent.map(({ to }) => to), ["away"]);
      assert.deepEqual(await plane.stop(), []);
      assert.deepEqual(plane.moved, [3]);
    },
  );
}

planeTest(
  "with window 0 a replayed datagram is delivered but does not move the endpoint",
  async (rig) => {
    await using plane = await rig.start(await given({ remote: "home" }));
    const codec = await peer();
    const [old, newest] = [await sealed(codec, 1), await sealed(codec, 2)];
    await plane.receive([old, newest], "home");
    assert.deepEqual(await plane.receive([old], "attacker"), [PACKET]);
    assert.equal(plane.remote(), "home");
    assert.deepEqual(await plane.receive([newest], "attacker"), [PACKET]);
    assert.equal(plane.remote(), "home");
  },
);

// The other planes share the code, but their clock cannot be moved.
Deno.test("with window 0 a peer that restarted elsewhere is found after silence", async () => {
  await using plane = await MemoryPlane.start(await given({ remote: "home" }));
  const codec = await peer();
  await plane.receive([await sealed(codec, 1000)], "home");
  plane.now += ENDPOINT_SILENCE_MS - 1;
  await plane.receive([await sealed(codec, 0)], "away");
  assert.equal(plane.remote(), "home");
  plane.now += 1;
  await plane.receive([await sealed(codec, 1)], "away");
  assert.equal(plane.remote(), "away");
  await plane.receive([await sealed(codec, 2)], "home");
  assert.equal(plane.remote(), "home");
});

/** Lets time go by, with one datagram at each step. */
async function every(
  plane: MemoryPlane,
  ms: number,
  times: number,
  step: () => Promise<unknown>,
): Promise<void> {
  for (let k = 0; k < times; k++) {
    plane.now += ms;
    await step();
  }
}

Deno.test("one recorded datagram, sent again and again, does not hold a restarted peer's endpoint", async () => {
  await using plane = await MemoryPlane.start(await given({ remote: "home" }));
  const codec = await peer();
  const recorded = await sealed(codec, 1000);
  await plane.receive([recorded], "home");
  // The peer counts from 0 again, at another address.
  let [seq, lost] = [0, 0];
  for (let second = 0; second < 60; second++) {
    plane.now += 1000;
    if (second % 4 === 0) await plane.receive([recorded], "home");
    await plane.receive([await sealed(codec, seq++)], "away");
    await plane.receive([await sealed(codec, seq++)], "away");
    const [sent] = await plane.send([PACKET]);
    if (sent?.to !== "away") lost++;
  }
  assert.equal(lost, 4, "only until the silence was noticed");
});

Deno.test("one recorded datagram from elsewhere does not take a restarted peer's endpoint for longer than to its next one", async () => {
  await using plane = await MemoryPlane.start(await given({ remote: "home" }));
  const codec = await peer();
  const recorded = await sealed(codec, 1000);
  await plane.receive([recorded], "home");
  let seq = 0;
  await every(plane, 1000, 60, async () => {
    await plane.receive([recorded], "attacker");
    await plane.receive([await sealed(codec, seq++)], "home");
    assert.equal(plane.remote(), "home");
  });
});

Deno.test("an endpoint that was moved to after silence loses to the one before until its numbers advance", async () => {
  const codec = await peer();
  for (const proven of [false, true]) {
    await using plane = await MemoryPlane.start(
      await given({ remote: "home" }),
    );
    await plane.receive([await sealed(codec, 5)], "home");
    plane.now += ENDPOINT_SILENCE_MS;
    await plane.receive([await sealed(codec, 1)], "attacker");
    assert.equal(plane.remote(), "attacker");
    await plane.receive([await sealed(codec, proven ? 2 : 1)], "attacker");
    await plane.receive([await sealed(codec, 0)], "home");
    assert.equal(plane.remote(), proven ? "attacker" : "home");
  }
});

planeTest(
  "datagrams that are overtaken on their way do not take the endpoint back",
  async (rig) => {
    await using plane = await rig.start(await given({ remote: "home" }));
    const codec = await peer();
    await plane.receive([await sealed(codec, 100)], "home");
    await plane.receive([await sealed(codec, 103)], "away");
    await plane.receive([await sealed(codec, 101)], "home");
    assert.equal(plane.remote(), "away");
  },
);

planeTest(
  "a recorded datagram of an earlier run cannot keep the endpoint",
  async (rig) => {
    await using plane = await rig.start(await given());
    const codec = await peer();
    await plane.receive([await sealed(codec, 1)], "home");
    await plane.receive([await sealed(codec, 100_000)], "attacker");
    assert.equal(plane.remote(), "attacker");
    await plane.receive([await sealed(codec, 2)], "home");
    assert.equal(plane.remote(), "home");
    await plane.receive([await sealed(codec, 100_000)], "attacker");
    assert.equal(plane.remote(), "home");
  },
);

Deno.test("a fixed endpoint is not moved by anything that is heard", async () => {
  await using plane = await MemoryPlane.start(
    await given({ remote: "home", roaming: false }),
  );
  const codec = await peer();
  assert.deepEqual(
    await plane.receive([await sealed(codec, 9)], "away"),
    [PACKET],
  );
  plane.now += 10 * ENDPOINT_SILENCE_MS;
  await plane.receive([await sealed(codec, 10)], "away");
  assert.equal(plane.remote(), "home");
});

planeTest(
  "without -r a fixed endpoint is that of the first who is heard",
  async (rig) => {
    await using plane = await rig.start(await given({ roaming: false }));
    const codec = await peer();
    await plane.receive([await sealed(codec, 1)], "home");
    await plane.receive([await sealed(codec, 2)], "away");
    assert.equal(plane.remote(), "home");
  },
);

planeTest(
  "a replay inside the window is dropped and said, and moves nothing",
  async (rig) => {
    await using plane = await rig.start(
      await given({ remote: "home", windowSize: 8 }),
    );
    const datagram = await sealed(await peer(), 7);
    await plane.receive([datagram], "home");
    assert.deepEqual(await plane.receive([datagram], "attacker"), []);
    assert.equal(plane.remote(), "home");
    assert.equal(plane.connectionCounter(ConnectionCounter.REPLAYED), 1);
    const [line = "", ...others] = await plane.stop();
    assert.match(line, /^NOTICE: Replay attack from home seq:7 sid: 0: /);
    assert.match(line, /connection 3 has had this number already/);
    assert.deepEqual(others, []);
  },
);

planeTest(
  "a peer that is given by its IPv4-mapped address is reached, and is the one that is heard",
  async (rig) => {
    await using plane = await rig.start(await given({ remote: "home" }));
    const words = endpointWords();
    plane.table.endpoints.copy(3, words, 0);
    const { address, port } = readEndpoint(words, 0) ?? assert.fail();
    const bytes = Uint8Array.from([...MAPPED, ...address.bytes]);
    plane.table.endpoints.set(3, endpointWords(), 0);
    writeEndpoint(words, 0, { address: { family: 6, bytes }, port });
    plane.table.endpoints.set(3, words, 0);
    const sent = await plane.send([PACKET]);
    assert.deepEqual(sent.map(({ to }) => to), ["home"]);
    assert.equal(plane.planeCounter(PlaneCounter.NOWHERE_TO_SEND), 0);
    await plane.receive([await sealed(await peer(), 0)], "home");
    assert.deepEqual(plane.moved, [], "it is where it was");
    assert.equal(plane.remote(), "home");
  },
);
