import assert from "node:assert/strict";
import { createSatpCodec, type SatpCodec } from "../../../mod.ts";
import { readMux, readSenderId, readSeq } from "../../../src/satp/header.ts";
import type { ConnectionKeys } from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import { crewOf, membersOf } from "../../../src/tunnel/native/crew.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { FlowRig, packetTo } from "../../fakes/flow_rig.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";
import { secretsOf, usualVector } from "../../vectors/satp.ts";

const VECTOR = usualVector("workers by flow");

async function keysOf(count: number): Promise<ConnectionKeys[]> {
  const secrets = await secretsOf(VECTOR);
  return Array.from(
    { length: count },
    () => ({ role: "left", secrets, windowSize: 64 }),
  );
}

async function start(
  workers: number,
  senderIds: readonly number[],
  connections: number,
): Promise<FlowRig> {
  const keys = await keysOf(connections);
  return await FlowRig.start({ workers, senderIds, connections: keys });
}

/** Seals as the peer of a connection. */
class Peer {
  readonly #mux: number;
  readonly #codec: SatpCodec;

  static async of(mux: number): Promise<Peer> {
    const { passphrase } = VECTOR;
    return new Peer(
      mux,
      await createSatpCodec({ passphrase, role: "right", mux, senderId: 9 }),
    );
  }

  private constructor(mux: number, codec: SatpCodec) {
    this.#mux = mux;
    this.#codec = codec;
  }

  async seal(seq: number): Promise<Uint8Array> {
    const payload = packetTo(this.#mux, seq);
    return await this.#codec.seal({ seq, payloadType: 0x0800, payload });
  }
}

Deno.test("a recording that comes joined behind a datagram for another worker is not delivered again", async () => {
  await using rig = await start(2, [1, 2], 2);
  const [even, odd] = [await Peer.of(0), await Peer.of(1)];
  const recorded = [await even.seal(1), await odd.seal(1)];
  await rig.receive(recorded.map((datagram) => [datagram]));
  assert.equal(rig.packets.length, 2);
  const [recordedEven = [], recordedOdd = []] = recorded;
  await rig.receive([
    [await even.seal(2), Uint8Array.from(recordedOdd)],
    [await odd.seal(2), Uint8Array.from(recordedEven)],
    [await even.seal(3), ...new Array(5).fill(recordedOdd)],
  ]);
  assert.deepEqual(rig.packets, [
    ...[packetTo(0, 1), packetTo(1, 1)],
    ...[packetTo(0, 2), packetTo(1, 2), packetTo(0, 3)],
  ]);
  assert.equal(rig.plane.counters()[PlaneCounter.OTHER_WORKER], 7);
  await rig.receive(recorded.map((datagram) => [datagram]));
  assert.equal(rig.counted(ConnectionCounter.REPLAYED), 2);
  assert.equal(rig.packets.length, 5);
});

Deno.test("workers that send for the same connections use each number once, each under sender ids of its own and in order", async () => {
  const [workers, connections, rounds] = [3, 4, 30];
  await using rig = await start(workers, [5, 6, 7, 8, 9, 10, 11], connections);
  for (let round = 0; round < rounds; round++) {
    const packets = Array.from(
      { length: connections * 3 },
      (_, k) => packetTo(Math.floor(k / 3), round),
    );
    await rig.send(...rig.devices.map(() => packets));
  }
  const count = workers * connections * 3 * rounds;
  assert.equal(rig.counted(ConnectionCounter.PACKETS_OUT), count);
  assert.equal(rig.sent.length, count);
  const used = new Set<string>();
  const highest = new Map<string, number>();
  for (const datagram of rig.sent) {
    const [mux, id] = [readMux(datagram, 0), readSenderId(datagram, 0)];
    const seq = readSeq(datagram, 0);
    assert.ok(seq > (highest.get(`${mux} ${id}`) ?? -1), "out of order");
    highest.set(`${mux} ${id}`, seq);
    used.add(`${mux} ${seq}`);
  }
  assert.equal(used.size, count, "the numbers of a connection are distinct");
  const senders = new Set([...highest.keys()].map((key) => key.split(" ")[1]));
  assert.deepEqual(senders, new Set(["5", "6", "7"]));
});

Deno.test("with one sender id one worker sends, and the others share what comes in", async () => {
  await using rig = await start(3, [4], 4);
  const peers = await Promise.all([0, 1, 2, 3].map((mux) => Peer.of(mux)));
  await rig.send([0, 1, 2, 3].map((mux) => packetTo(mux, 1)));
  assert.deepEqual(rig.sent.map((sent) => readMux(sent, 0)), [0, 1, 2, 3]);
  assert.ok(rig.sent.every((sent) => readSenderId(sent, 0) === 4));
  const datagrams = await Promise.all(peers.map((peer) => peer.seal(1)));
  await rig.receive(datagrams.map((datagram) => [datagram]));
  assert.deepEqual(rig.packets, [0, 1, 2, 3].map((mux) => packetTo(mux, 1)));
});

Deno.test("a connection that is removed is served by none of the workers, and its keys are replaced for all", async () => {
  const connections = 2;
  await using rig = await start(2, [1, 2], connections);
  const send = async (number: number) => {
    const packets = [packetTo(0, number), packetTo(1, number)];
    await rig.send(packets, packets);
  };
  const peer = await Peer.of(1);
  await send(1);
  await rig.receive([[await peer.seal(1)]]);
  assert.deepEqual([rig.sent.length, rig.packets.length], [4, 1]);
  rig.table.remove(1);
  rig.plane.dropRetired();
  await send(2);
  await rig.receive([[await peer.seal(2)]]);
  assert.deepEqual([rig.sent.length, rig.packets.length], [6, 1]);
  const { NOWHERE_TO_SEND, UNKNOWN_MUX } = PlaneCounter;
  assert.equal(rig.plane.counters()[NOWHERE_TO_SEND], 2);
  assert.equal(rig.plane.counters()[UNKNOWN_MUX], 1);
  const [keys] = await keysOf(1);
  assert.ok(keys);
  const other = { ...VECTOR, passphrase: "another one" };
  rig.table.put(1, { ...keys, secrets: await secretsOf(other) }, 0);
  await rig.receive([[await peer.seal(3)]]);
  assert.equal(rig.counted(ConnectionCounter.WRONG_TAG), 1);
  rig.table.put(1, { ...keys, secrets: await secretsOf(VECTOR) }, 0);
  await rig.receive([[await peer.seal(1)], [await peer.seal(4)]]);
  assert.equal(rig.counted(ConnectionCounter.REPLAYED), 1);
  assert.equal(rig.packets.length, 2);
});

Deno.test("a queue of the device that breaks ends all workers by flow", async () => {
  await using rig = await start(3, [1, 2, 3], 3);
  rig.devices[2]?.breakReading();
  await assert.rejects(rig.finished, /a worker of the data plane died/);
});

Deno.test("sender ids are shared out so that none is used by two workers", () => {
  const senderIds = Array.from({ length: 256 }, (_, k) => 1000 + k);
  for (const workers of [2, 3, 16, 64]) {
    const crew = crewOf(workers, senderIds.length);
    assert.deepEqual(crew, { readers: workers, receivers: workers });
    const table = new ConnectionTable(ConnectionTable.allocate());
    const queues = { readFrom: [], writeTo: [] };
    const settings = tunnelSettings({ senderIds });
    const members = membersOf(crew, settings, queues, [], table);
    const shares = members.map(({ settings }) => settings?.senderIds ?? []);
    assert.equal(new Set(shares.map(({ length }) => length)).size, 1);
    assert.equal(new Set(shares.flat()).size, shares.flat().length);
    assert.equal(shares.length, workers);
  }
});

Deno.test("workers by flow need two at least, and three if there are not enough sender ids", () => {
  assert.equal(crewOf(1, 256), undefined);
  assert.equal(crewOf(2, 1), undefined);
  assert.deepEqual(crewOf(2, 2), { readers: 2, receivers: 2 });
  assert.deepEqual(crewOf(3, 2), { readers: 1, receivers: 2 });
  assert.deepEqual(crewOf(8, 1), { readers: 1, receivers: 7 });
});
