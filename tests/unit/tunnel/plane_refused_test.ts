import { strict as assert } from "node:assert";
import { createSatpCodec } from "../../../mod.ts";
import {
  question,
  SENDER_KINDS,
  SenderKind,
} from "../../../src/tunnel/refused_samples.ts";
import { until } from "../../../lab/until.ts";
import { planeTest } from "../../fakes/plane_rigs.ts";
import { paramsOf, secretsOf } from "../../vectors/satp.ts";

const VECTOR = {
  cipher: "aes-ctr-128",
  kd_prf: "aes-ctr-128",
  auth_algo: "sha1",
  auth_tag_length: 10,
};
const ALL = SENDER_KINDS.reduce((sum, kind) => sum + kind, 0);

async function sealed(
  passphrase: string,
  seq: number,
  senderId = 0,
): Promise<Uint8Array> {
  const codec = await createSatpCodec({ passphrase, role: "right", senderId });
  const payload = new Uint8Array(40).with(0, 0x45);
  return await codec.seal({ seq, payloadType: 0x0800, payload });
}

planeTest(
  "of what is refused one datagram of each kind of sender is handed over, if it is asked for",
  async (rig) => {
    const secrets = await secretsOf({ ...VECTOR, passphrase: "a" });
    await using plane = await rig.start({
      ...{ role: "left", secrets, windowSize: 64 } as const,
      params: paramsOf(VECTOR),
      remote: "home",
    });
    await plane.receive([await sealed("a", 1)], "home");
    const wrong = await sealed("b", 2);
    await plane.receive([wrong], "home");
    assert.equal(plane.refused.length, 0, "nobody has asked");
    plane.table.ask(0, question(ALL));
    const forged = await sealed("c", 3, 9);
    const posing = await sealed("d", 4, 9);
    const overheard = await sealed("e", 5);
    await plane.receive(Array(20).fill(forged), "attacker");
    await plane.receive(Array(20).fill(posing), "home");
    await plane.receive(Array(20).fill(overheard), "attacker");
    await plane.receive([wrong, wrong], "home");
    await until(
      () => `4 are handed over, but ${plane.refused.length}`,
      60,
      () => plane.refused.length === 4,
    );
    assert.deepEqual(
      plane.refused.toSorted((a, b) => a.kind - b.kind)
        .map(({ mux, kind, datagram }) => [mux, kind, datagram]),
      [
        [0, SenderKind.KNOWN_ID, overheard],
        [0, SenderKind.KNOWN_ENDPOINT, posing],
        [0, SenderKind.STRANGER, forged],
        [0, SenderKind.PEER, wrong],
      ],
    );
    await plane.receive([wrong, forged], "home");
    assert.equal(plane.refused.length, 4, "each was asked for once");
    assert.equal(plane.table.asked(0), 0);
  },
);
