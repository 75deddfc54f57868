import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodecOptions } from "../../mod.ts";
import { fromHex, loadVectors, toHex } from "./vectors.ts";

interface DatagramVectors {
  readonly sets: readonly {
    readonly id: string;
    readonly program: string;
    readonly peer_role: SatpCodecOptions["role"];
    readonly params: {
      readonly cipher: SatpCodecOptions["cipher"];
      readonly kd_prf: SatpCodecOptions["kdPrf"];
      readonly auth_algo: SatpCodecOptions["authAlgo"];
      readonly auth_tag_length: number;
      readonly role: SatpCodecOptions["role"];
      readonly mux: number;
      readonly sender_id: number;
      readonly key?: string;
      readonly salt?: string;
      readonly passphrase?: string;
    };
    readonly packets: readonly {
      readonly seq: number;
      readonly payload_type: string;
      readonly plain_hex: string;
      readonly datagram_hex: string;
    }[];
  }[];
}

type VectorSet = DatagramVectors["sets"][number];

function optionsOf(
  { params }: VectorSet,
  role: SatpCodecOptions["role"],
): SatpCodecOptions {
  const given = {
    cipher: params.cipher,
    kdPrf: params.kd_prf,
    authAlgo: params.auth_algo,
    // The command line cuts longer tags (SATP section 4.1).
    authTagLength: Math.min(20, params.auth_tag_length),
    role,
    mux: params.mux,
    senderId: params.sender_id,
    passphrase: params.passphrase,
    key: params.key,
    salt: params.salt,
  };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
}

const { sets } = loadVectors<DatagramVectors>("datagrams.json");

Deno.test("the recorded datagrams cover both programs", () => {
  assert.equal(sets.length, 188);
  assert.deepEqual(
    new Set(sets.map(({ program }) => program)),
    new Set(["anytun", "uanytun"]),
  );
});

for (const set of sets) {
  Deno.test(`seal() gives the bytes of ${set.program} in ${set.id}`, async () => {
    const codec = await createSatpCodec(optionsOf(set, set.params.role));
    for (const packet of set.packets) {
      const datagram = await codec.seal({
        seq: packet.seq,
        payloadType: Number.parseInt(packet.payload_type, 16),
        payload: fromHex(packet.plain_hex),
      });
      assert.equal(toHex(datagram), packet.datagram_hex);
    }
  });

  Deno.test(`open() reads the datagrams of ${set.program} in ${set.id}`, async () => {
    const codec = await createSatpCodec(optionsOf(set, set.peer_role));
    for (const packet of set.packets) {
      const { payload, ...rest } = await codec.open(
        fromHex(packet.datagram_hex),
      );
      assert.deepEqual(rest, {
        seq: packet.seq,
        senderId: set.params.sender_id,
        mux: set.params.mux,
        payloadType: Number.parseInt(packet.payload_type, 16),
      });
      assert.equal(toHex(payload), packet.plain_hex);
    }
  });
}
