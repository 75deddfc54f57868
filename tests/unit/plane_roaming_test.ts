import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodec } from "../../mod.ts";
import { WebCryptoEngine } from "../../src/crypto/webcrypto.ts";
import { formatEndpoint } from "../../src/net/endpoint.ts";
import { ConnectionCounter, PlaneCounter } from "../../src/tunnel/counters.ts";
import { ENDPOINT_SILENCE_MS } from "../../src/tunnel/inbound.ts";
import { MemoryPlane } from "../support/memory_plane.ts";
import { paramsOf, secretsOf } from "../support/satp.ts";

const VECTOR = {
  cipher: "aes-ctr-128",
  kd_prf: "aes-ctr-128",
  auth_algo: "sha1",
  auth_tag_length: 10,
  passphrase: "roaming tests",
};
const HOME = "192.0.2.1:4444";
const AWAY = "[2001:db8::7]:5555";
const ATTACKER = "198.51.100.6:6666";
const PACKET = new Uint8Array(40).fill(0x45);

async function start(
  options: { readonly remote?: string; readonly windowSize?: number },
): Promise<MemoryPlane> {
  return await MemoryPlane.start({
    engine: new WebCryptoEngine(crypto.subtle),
    params: paramsOf(VECTOR),
    secrets: await secretsOf(VECTOR),
    role: "left",
    mux: 3,
    ...options,
  });
}

function peer(mux = 3): Promise<SatpCodec> {
  const { passphrase } = VECTOR;
  return createSatpCodec({ passphrase, role: "right", mux });
}

async function sealed(codec: SatpCodec, seq: number): Promise<Uint8Array> {
  return await codec.seal({ seq, payloadType: 0x0800, payload: PACKET });
}

function remoteText(plane: MemoryPlane): string | undefined {
  return plane.remote && formatEndpoint(plane.remote);
}

Deno.test("a peer is auto-detected by its first authentic datagram", async () => {
  await using plane = await start({});
  assert.equal((await plane.send([PACKET])).length, 0);
  assert.equal(
    (await plane.receive([await sealed(await peer(), 0)], HOME)).length,
    1,
  );
  assert.equal(remoteText(plane), HOME);
  assert.deepEqual(plane.events, ["first endpoint"]);
  const [sent] = await plane.send([PACKET]);
  assert.ok(sent);
  assert.equal(formatEndpoint(sent.to), HOME);
});

Deno.test("a forged datagram does not become the peer", async () => {
  await using plane = await start({});
  const forged = await sealed(await peer(), 0);
  forged[12] = (forged[12] ?? 0) ^ 1;
  assert.deepEqual(await plane.receive([forged], ATTACKER), []);
  assert.equal(plane.remote, undefined);
  assert.deepEqual(plane.events, ["wrong tag"]);
  assert.equal(plane.connectionCounter(ConnectionCounter.WRONG_TAG), 1);
});

Deno.test("an authentic datagram of another mux does not become the peer", async () => {
  await using plane = await start({});
  const datagram = await sealed(await peer(4), 0);
  assert.deepEqual(await plane.receive([datagram], ATTACKER), []);
  assert.equal(plane.remote, undefined);
  assert.equal(plane.planeCounter(PlaneCounter.UNKNOWN_MUX), 1);
});

for (const windowSize of [0, 64]) {
  Deno.test(`the endpoint follows the peer, with window ${windowSize}`, async () => {
    await using plane = await start({ remote: HOME, windowSize });
    const codec = await peer();
    await plane.receive([await sealed(codec, 1)], HOME);
    await plane.receive([await sealed(codec, 2)], AWAY);
    assert.equal(remoteText(plane), AWAY);
    assert.deepEqual(plane.events, ["endpoint changed"]);
    const [sent] = await plane.send([PACKET]);
    assert.ok(sent);
    assert.equal(formatEndpoint(sent.to), AWAY);
  });
}

Deno.test("with window 0 a replayed datagram is delivered but does not move the endpoint", async () => {
  await using plane = await start({ remote: HOME });
  const codec = await peer();
  const old = await sealed(codec, 1);
  await plane.receive([old, await sealed(codec, 2)], HOME);
  assert.equal((await plane.receive([old], ATTACKER)).length, 1);
  assert.equal(remoteText(plane), HOME);
  assert.equal(
    (await plane.receive([await sealed(codec, 2)], ATTACKER)).length,
    1,
  );
  assert.equal(remoteText(plane), HOME);
});

Deno.test("with window 0 a peer that restarted elsewhere is found after silence", async () => {
  await using plane = await start({ remote: HOME });
  const codec = await peer();
  await plane.receive([await sealed(codec, 1000)], HOME);
  plane.now += ENDPOINT_SILENCE_MS - 1;
  await plane.receive([await sealed(codec, 0)], AWAY);
  assert.equal(remoteText(plane), HOME);
  plane.now += 1;
  await plane.receive([await sealed(codec, 1)], AWAY);
  assert.equal(remoteText(plane), AWAY);
  await plane.receive([await sealed(codec, 2)], HOME);
  assert.equal(remoteText(plane), HOME);
});

Deno.test("a replay inside the window is dropped and said, and moves nothing", async () => {
  await using plane = await start({ remote: HOME, windowSize: 8 });
  const datagram = await sealed(await peer(), 7);
  await plane.receive([datagram], HOME);
  assert.deepEqual(await plane.receive([datagram], ATTACKER), []);
  assert.deepEqual(plane.events, ["replay 7 0"]);
  assert.equal(remoteText(plane), HOME);
});

Deno.test("packets keep their order through many batches in both directions", async () => {
  await using plane = await start({ remote: HOME, windowSize: 1024 });
  const codec = await peer();
  const packets = Array.from({ length: 200 }, (_, k) => {
    const packet = PACKET.slice();
    packet[20] = k;
    return packet;
  });
  const datagrams = await Promise.all(
    packets.map((payload, seq) =>
      codec.seal({ seq, payloadType: 0x0800, payload })
    ),
  );
  assert.deepEqual(await plane.receive(datagrams, HOME), packets);
  const sent = await plane.send(packets);
  const opened = await Promise.all(
    sent.map(({ datagram }) => codec.open(datagram)),
  );
  assert.deepEqual(opened.map(({ payload }) => payload), packets);
  assert.deepEqual(opened.map(({ seq }) => seq), [...packets.keys()]);
});
