import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodec, SatpError } from "../../../mod.ts";
import type { MasterSecrets } from "../../../src/satp/secrets.ts";
import { PlaneCounter } from "../../../src/tunnel/counters.ts";
import { until } from "../../../lab/until.ts";
import type { PlaneUnderTest } from "../../fakes/plane_rig.ts";
import { planeTest } from "../../fakes/plane_rigs.ts";
import { paramsOf, secretsOf } from "../../vectors/satp.ts";

const ROUNDS = 100;
const CHANGES_A_ROUND = 10;
const KEYS = 4;
/** Between two changes; their numbers are new whenever the key comes back. */
const DATAGRAMS = 8;

const VECTOR = {
  cipher: "aes-ctr-128",
  kd_prf: "aes-ctr-128",
  auth_algo: "sha1",
  auth_tag_length: 10,
};
const PACKET = new Uint8Array(40).fill(0x45);

/** One of the keys that take turns. */
interface Key {
  readonly secrets: MasterSecrets;
  readonly peer: SatpCodec;
  /** The peer's next sequence number. */
  next: number;
}

async function makeKeys(): Promise<Key[]> {
  return await Promise.all(Array.from({ length: KEYS }, async (_, k) => {
    const passphrase = `key ${k}`;
    const peer = await createSatpCodec({ passphrase, role: "right" });
    const secrets = await secretsOf({ ...VECTOR, passphrase });
    return { secrets, peer, next: 0 };
  }));
}

async function train(key: Key): Promise<Uint8Array[]> {
  const first = key.next;
  key.next += DATAGRAMS;
  return await Promise.all(
    Array.from({ length: DATAGRAMS }, (_, k) => sealed(key.peer, first + k)),
  );
}

async function sealed(
  codec: SatpCodec,
  seq: number,
  payload = PACKET,
): Promise<Uint8Array> {
  return await codec.seal({ seq, payloadType: 0x0800, payload });
}

/** As long as a datagram of ours, of our mux, and none. */
function junk(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, k) => {
    const datagram = new Uint8Array(DATAGRAM_BYTES).fill(k);
    datagram.fill(0, 0, 8);
    return datagram;
  });
}

const DATAGRAM_BYTES = 10 + PACKET.length + VECTOR.auth_tag_length;

/** Sends until one gets through: the flood may fill the socket. */
async function getsThrough(
  plane: PlaneUnderTest,
  { peer, next }: Key,
): Promise<void> {
  const marker = PACKET.with(39, 1);
  let seq = next;
  const arrived = () =>
    plane.outcome().packets.some((packet) => packet[39] === 1);
  await until("something gets through", 60, async () => {
    if (arrived()) return true;
    plane.inject([await sealed(peer, seq++, marker)], "home");
    return false;
  });
}

async function opensWith(
  peer: SatpCodec,
  datagram: Uint8Array,
): Promise<boolean> {
  try {
    await peer.open(datagram);
    return true;
  } catch (error) {
    if (error instanceof SatpError) return false;
    throw error;
  }
}

for (const flood of [0, 40]) {
  const under = flood === 0 ? "authentic traffic" : "a flood of junk";
  planeTest(
    `keys change ${ROUNDS * CHANGES_A_ROUND} times under ${under}, and ` +
      "packets go on",
    async (rig) => {
      const keys = await makeKeys();
      const [first] = keys;
      assert.ok(first);
      await using plane = await rig.start({
        params: paramsOf(VECTOR),
        secrets: first.secrets,
        role: "left",
        windowSize: 64,
        remote: "home",
      });
      const garbage = junk(flood);
      let last = first;
      for (let change = 0, round = 0; round < ROUNDS; round++) {
        const trains = await Promise.all(
          Array.from(
            { length: CHANGES_A_ROUND },
            (_, k) => train(keys[(change + k) % KEYS] ?? first),
          ),
        );
        plane.offer(new Array(20).fill(PACKET));
        for (const datagrams of trains) {
          plane.inject([...datagrams, ...garbage], "home");
          last = keys[++change % KEYS] ?? first;
          const { secrets } = last;
          plane.table.put(0, { role: "left", secrets, windowSize: 64 }, 0);
        }
        plane.outcome();
        // The planes in this thread have their turn as well.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await getsThrough(plane, last);
      // What a busy thread still sends may have been sealed before the change.
      await until("what is sent is under the newest key", 60, () => {
        plane.offer([PACKET]);
        const newest = plane.outcome().sent.at(-1);
        return newest !== undefined && opensWith(last.peer, newest.datagram);
      });
      assert.equal(plane.planeCounter(PlaneCounter.INTERNAL_ERROR), 0);
    },
  );
}
