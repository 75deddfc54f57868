import { strict as assert } from "node:assert";
import type { PlaneOptions } from "../fakes/plane_rig.ts";
import { planeTest } from "../fakes/plane_rigs.ts";
import { paramsOf, secretsOf, type VectorParams } from "./satp.ts";
import { fromHex, loadVectors, toHex } from "./vectors.ts";

interface RejectVectors {
  readonly runs: readonly {
    readonly program: string;
    readonly params: VectorParams & {
      readonly mux: number;
      readonly window: number;
      readonly sender_id: number;
    };
    readonly receive: readonly {
      readonly description: string;
      readonly source: "first" | "other";
      readonly datagram_hex: string;
      readonly written_to_device: boolean;
      readonly device_hex: string | null;
    }[];
    readonly send: readonly {
      readonly description: string;
      readonly device_packet_hex?: string | null;
      readonly datagram_length: number | null;
      readonly round_trip_ok: boolean;
    }[];
    readonly first_byte: readonly { readonly description: string }[];
  }[];
}

type Run = RejectVectors["runs"][number];

const { runs } = loadVectors<RejectVectors>("rejects.json");

async function optionsOf({ params }: Run): Promise<PlaneOptions> {
  return {
    params: paramsOf(params),
    secrets: await secretsOf(params),
    role: "left",
    mux: params.mux,
    senderIds: [params.sender_id],
    windowSize: params.window,
    remote: "home",
  };
}

for (const run of runs) {
  planeTest(
    `the plane writes what ${run.program} writes, without stale bytes`,
    async (rig, t) => {
      await using plane = await rig.start(await optionsOf(run));
      for (const datagram of run.receive) {
        await t.step(datagram.description, async () => {
          const from = datagram.source === "first" ? "home" : "attacker";
          const bytes = fromHex(datagram.datagram_hex);
          const written = await plane.receive([bytes], from);
          assert.deepEqual(written.map(toHex), expectedAt(run, datagram));
        });
      }
    },
  );

  planeTest(
    `the plane sends what ${run.program} sends, but never garbage`,
    async (rig, t) => {
      await using plane = await rig.start(await optionsOf(run));
      for (const packet of run.send) {
        await t.step(packet.description, async () => {
          const size = sizeIn(packet.description);
          const bytes = new Uint8Array(size).fill(0x42);
          bytes[0] = 0x45;
          const sent = await plane.send([bytes]);
          // A single byte is no packet; above 1600 bytes no peer takes it.
          const expected = size >= 2 && size + 20 <= 1600 ? [size + 20] : [];
          assert.deepEqual(
            sent.map(({ datagram }) => datagram.length),
            expected,
          );
        });
      }
    },
  );

  planeTest(
    `the plane drops what is not IP where ${run.program} guesses`,
    async (rig, t) => {
      await using plane = await rig.start(await optionsOf(run));
      for (const { description } of run.first_byte) {
        await t.step(description, async () => {
          const bytes = new Uint8Array(40);
          bytes[0] = Number.parseInt(description.slice(-2), 16);
          const isIp = bytes[0] >>> 4 === 4 || bytes[0] >>> 4 === 6;
          assert.equal((await plane.send([bytes])).length, isIp ? 1 : 0);
        });
      }
    },
  );
}

/**
 * What ours writes: the payload exactly, so for anytun the recording less two
 * stale bytes; uanytun takes any payload type, ours only IP on tun.
 */
function expectedAt(run: Run, datagram: Run["receive"][number]): string[] {
  const { device_hex, description, written_to_device } = datagram;
  if (!written_to_device || device_hex === null) return [];
  if (run.program === "anytun") return [device_hex.slice(0, -4)];
  return /payload type [0-9a-f]{4} on tun|unknown payload type/
      .test(description)
    ? []
    : [device_hex];
}

function sizeIn(description: string): number {
  const size = /packet of (\d+) bytes/.exec(description)?.[1];
  assert.ok(size, description);
  return Number(size);
}
