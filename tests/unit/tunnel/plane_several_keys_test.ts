import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodec, SatpError } from "../../../mod.ts";
import type { MasterSecrets } from "../../../src/satp/secrets.ts";
import {
  ConnectionCounter,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import type { PeerName, PlaneUnderTest } from "../../fakes/plane_rig.ts";
import { planeTest } from "../../fakes/plane_rigs.ts";
import { until } from "../../../lab/until.ts";
import { paramsOf, secretsOf } from "../../vectors/satp.ts";

const VECTOR = {
  cipher: "aes-ctr-128",
  kd_prf: "aes-ctr-128",
  auth_algo: "sha1",
  auth_tag_length: 10,
};
const ROUNDS = 30;
const DATAGRAMS = 8;
const PACKETS = 6;

/** Keys of both ends. */
interface Key {
  readonly secrets: MasterSecrets;
  readonly peer: SatpCodec;
  readonly keys: {
    readonly role: "left";
    readonly secrets: MasterSecrets;
    readonly windowSize: number;
  };
}

async function keyOf(k: number, vector = VECTOR): Promise<Key> {
  const passphrase = `key ${k}`;
  const secrets = await secretsOf({ ...vector, passphrase });
  const peer = await createSatpCodec({
    ...{ passphrase, role: "right", authTagLength: vector.auth_tag_length },
  });
  return { secrets, peer, keys: { role: "left", secrets, windowSize: 64 } };
}

function packetOf(k: number): Uint8Array {
  return new Uint8Array(40).fill(k & 0xff).with(0, 0x45);
}

async function sealed(
  { peer }: Key,
  first: number,
  count = DATAGRAMS,
): Promise<Uint8Array[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, k) =>
      peer.seal({
        seq: first + k,
        payloadType: 0x0800,
        payload: packetOf(first + k),
      })),
  );
}

/** One of each in turn. */
function mixed(...trains: readonly (readonly Uint8Array[])[]): Uint8Array[] {
  return Array.from(
    { length: DATAGRAMS },
    (_, k) => trains.flatMap((train) => train[k] ?? []),
  ).flat();
}

async function opens(key: Key, datagram: Uint8Array): Promise<boolean> {
  try {
    await key.peer.open(datagram);
    return true;
  } catch (error) {
    if (error instanceof SatpError) return false;
    throw error;
  }
}

function startOptions({ keys }: Key, vector = VECTOR) {
  return { ...keys, params: paramsOf(vector), remote: "home" } as const;
}

function wrongTags(plane: PlaneUnderTest): number {
  return plane.connectionCounter(ConnectionCounter.WRONG_TAG);
}

function replays(plane: PlaneUnderTest): number {
  return plane.connectionCounter(ConnectionCounter.REPLAYED);
}

/** Counts what must have come out at either end by now. */
class Expectation {
  readonly #plane: PlaneUnderTest;
  #packets = 0;
  #sent = 0;

  constructor(plane: PlaneUnderTest) {
    this.#plane = plane;
  }

  inject(datagrams: readonly Uint8Array[]): void {
    this.#packets += datagrams.length;
    this.#plane.inject(datagrams, "home");
  }

  offer(count: number): void {
    this.#sent += count;
    this.#plane.offer(Array.from({ length: count }, (_, k) => packetOf(k)));
  }

  async met(): Promise<void> {
    const plane = this.#plane;
    const text = () => {
      const { packets, sent } = plane.outcome();
      return `all has come, but ${packets.length} of ${this.#packets} packets, ` +
        `${sent.length} of ${this.#sent} datagrams, ` +
        `${wrongTags(plane)} wrong tags, ${replays(plane)} replays`;
    };
    await until(text, 60, () => {
      assert.equal(wrongTags(plane), 0, text());
      assert.equal(plane.planeCounter(PlaneCounter.NOWHERE_TO_SEND), 0);
      const { packets, sent } = plane.outcome();
      return packets.length === this.#packets && sent.length === this.#sent;
    });
  }
}

for (const ready of [true, false]) {
  const how = ready ? "that were there before" : "at once";
  planeTest(
    `no datagram is lost when keys change ${how} under traffic`,
    async (rig) => {
      let old = await keyOf(0);
      let sealedUntil = DATAGRAMS;
      await using plane = await rig.start(startOptions(old));
      const { table } = plane;
      const expected = new Expectation(plane);
      for (let round = 1; round <= ROUNDS; round++) {
        const next = await keyOf(round);
        const late = await sealed(old, sealedUntil, 2 * DATAGRAMS);
        const early = await sealed(next, 0, 2 * DATAGRAMS);
        const before = table.sealing(0);
        assert.ok(before);
        if (ready) {
          table.addOpening(0, next.keys);
          await plane.prepare(0);
          expected.inject(mixed(late, early));
        } else expected.inject(late.slice(0, DATAGRAMS));
        expected.offer(PACKETS);
        table.put(0, next.keys, 0, "keep");
        expected.offer(PACKETS);
        const first = ready ? DATAGRAMS : 0;
        expected.inject(
          mixed(early.slice(first), late.slice(DATAGRAMS)),
        );
        await expected.met();
        assert.equal(table.dropOpening(0, before), true);
        old = next;
        sealedUntil = ready ? 2 * DATAGRAMS : DATAGRAMS;
        const newest = plane.outcome().sent.at(-1);
        assert.ok(newest && await opens(next, newest.datagram));
      }
      assert.equal(plane.planeCounter(PlaneCounter.INTERNAL_ERROR), 0);
    },
  );
}

planeTest(
  "datagrams of old keys are opened for as long as they are kept, and refused afterwards",
  async (rig) => {
    const [old, next] = [await keyOf(0), await keyOf(1)];
    await using plane = await rig.start(startOptions(old));
    const { table } = plane;
    const receive = async (key: Key, seq: number) =>
      (await plane.receive(await sealed(key, seq), "home")).length;
    assert.equal(await receive(old, 0), DATAGRAMS);
    const before = table.sealing(0) ?? 0;
    table.put(0, next.keys, 0, "keep");
    await plane.prepare(0);
    assert.equal(await receive(old, 100), DATAGRAMS);
    assert.equal(await receive(next, 0), DATAGRAMS);
    assert.equal(await receive(old, 200), DATAGRAMS);
    table.dropOpening(0, before);
    assert.equal(await receive(old, 300), 0);
    assert.equal(wrongTags(plane), DATAGRAMS);
    assert.equal(await receive(next, 100), DATAGRAMS);
  },
);

planeTest(
  "a datagram that no key opens counts once, however many keys there are",
  async (rig) => {
    const [key, other, stranger] = [
      await keyOf(0),
      await keyOf(1),
      await keyOf(9),
    ];
    await using plane = await rig.start(startOptions(key));
    for (const more of [other, await keyOf(2), await keyOf(3)]) {
      plane.table.addOpening(0, more.keys);
    }
    await plane.prepare(0);
    const garbage = await sealed(stranger, 0, 40);
    assert.deepEqual(await plane.receive(garbage, "attacker"), []);
    assert.equal(wrongTags(plane), 40);
    const good = mixed(await sealed(key, 0), await sealed(other, 0), garbage);
    const packets = await plane.receive(good, "home");
    assert.equal(packets.length, 2 * DATAGRAMS);
    assert.equal(wrongTags(plane), 40 + DATAGRAMS);
    assert.deepEqual(packets[3], packetOf(1), "the order stays");
    assert.equal(plane.remote(), "home");
  },
);

planeTest(
  "a recording of the old keys is not delivered twice, while they stay and when they come back",
  async (rig) => {
    const [old, next] = [await keyOf(0), await keyOf(1)];
    await using plane = await rig.start(startOptions(old));
    const { table } = plane;
    const before = table.sealing(0) ?? 0;
    const recorded = await sealed(old, 5);
    const again = async () => await plane.receive(recorded, "attacker");
    assert.equal((await again()).length, DATAGRAMS);
    table.addOpening(0, next.keys);
    await plane.prepare(0);
    const early = await sealed(next, 5);
    assert.equal((await plane.receive(early, "home")).length, DATAGRAMS);
    table.put(0, next.keys, 0, "keep");
    assert.deepEqual(await again(), []);
    assert.equal(replays(plane), DATAGRAMS);
    assert.deepEqual(await plane.receive(early, "attacker"), []);
    assert.equal(replays(plane), 2 * DATAGRAMS);
    table.dropOpening(0, before);
    // Behind a batch of recordings numbers are looked at before tags.
    await plane.receive(await sealed(next, 20), "home");
    assert.deepEqual(await again(), []);
    assert.equal(wrongTags(plane), DATAGRAMS);
    table.addOpening(0, old.keys);
    await plane.prepare(0);
    assert.deepEqual(await again(), []);
    assert.equal(replays(plane), 3 * DATAGRAMS);
    const later = await sealed(old, 50);
    assert.equal((await plane.receive(later, "home")).length, DATAGRAMS);
    assert.equal(plane.remote(), "home");
  },
);

planeTest(
  "it is known when keys have opened something new, of each set of them",
  async (rig) => {
    const [key, next] = [await keyOf(0), await keyOf(1)];
    await using plane = await rig.start(startOptions(key));
    const { table } = plane;
    const present = table.sealing(0) ?? 0;
    const coming = table.addOpening(0, next.keys) ?? 0;
    await plane.prepare(0);
    const opened = () =>
      [present, coming].map((name) => {
        return table.lastOpened(0, name) !== undefined;
      });
    const recorded = await sealed(key, 0);
    await plane.receive(recorded.map((one) => one.with(12, 1)), "home");
    assert.deepEqual(opened(), [false, false]);
    await plane.receive(recorded, "home");
    assert.deepEqual(opened(), [true, false]);
    await plane.receive(await sealed(next, 0), "home");
    assert.deepEqual(opened(), [true, true]);
    table.put(0, next.keys, 0, "keep");
    assert.deepEqual(opened(), [true, true], "it stays with the keys");
    table.dropOpening(0, present);
    assert.deepEqual(opened(), [false, true]);
  },
);

planeTest(
  "without tags the keys that seal are those that open",
  async (rig) => {
    const vector = { ...VECTOR, auth_tag_length: 0 };
    const [old, next] = [await keyOf(0, vector), await keyOf(1, vector)];
    await using plane = await rig.start(startOptions(old, vector));
    await plane.receive(await sealed(old, 0), "home");
    plane.table.put(0, next.keys, 0, "keep");
    await plane.prepare(0);
    const [packet] = await plane.receive(await sealed(next, 0), "home");
    assert.deepEqual(packet, packetOf(0));
  },
);

/** Receives one datagram, which must be delivered; tells where the peer is then. */
async function heardFrom(
  plane: PlaneUnderTest,
  key: Key,
  seq: number,
  from: PeerName,
): Promise<string | undefined> {
  const packets = await plane.receive(await sealed(key, seq, 1), from);
  assert.deepEqual(packets, [packetOf(seq)]);
  return plane.remote();
}

planeTest(
  "what was held back of the keys before does not move the endpoint once the peer has changed",
  async (rig) => {
    const [old, next] = [await keyOf(0), await keyOf(1)];
    await using plane = await rig.start(startOptions(old));
    const { table } = plane;
    const hear = (key: Key, seq: number, from: PeerName) =>
      heardFrom(plane, key, seq, from);
    assert.equal(await hear(old, 0, "home"), "home");
    table.put(0, next.keys, 0, "keep");
    await plane.prepare(0);
    assert.equal(await hear(old, 1, "away"), "away", "it has not yet");
    assert.equal(await hear(next, 0, "home"), "home");
    assert.equal(await hear(old, 100, "attacker"), "home");
    assert.equal(await hear(old, 101, "away"), "home");
    assert.equal(await hear(next, 1, "away"), "away");
    // Back again, as where somebody has taken the change back.
    table.put(0, old.keys, 0, "keep");
    await plane.prepare(0);
    assert.equal(await hear(next, 2, "home"), "home", "not yet, again");
    assert.equal(await hear(old, 102, "away"), "away");
    assert.equal(await hear(next, 3, "attacker"), "away");
    assert.equal(plane.planeCounter(PlaneCounter.INTERNAL_ERROR), 0);
  },
);

planeTest(
  "keys that came before those that seal move the endpoint until those have opened something",
  async (rig) => {
    const [present, past, coming] = [
      await keyOf(0),
      await keyOf(1),
      await keyOf(2),
    ];
    await using plane = await rig.start(startOptions(present));
    plane.table.addOpening(0, past.keys, "before");
    plane.table.addOpening(0, coming.keys);
    await plane.prepare(0);
    const hear = (key: Key, seq: number, from: PeerName) =>
      heardFrom(plane, key, seq, from);
    assert.equal(await hear(past, 0, "away"), "away");
    assert.equal(await hear(present, 0, "home"), "home");
    assert.equal(await hear(past, 1, "attacker"), "home");
    assert.equal(await hear(coming, 0, "away"), "away");
    assert.equal(await hear(present, 1, "attacker"), "away");
  },
);
