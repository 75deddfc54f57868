import { strict as assert } from "node:assert";
import { openIpsecMb } from "../../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { openBuiltin } from "../../src/crypto/builtin.ts";
import { IpsecMbEngine } from "../../src/crypto/ipsec_mb.ts";
import { OpensslEngine } from "../../src/crypto/openssl.ts";
import { WebCryptoEngine } from "../../src/crypto/webcrypto.ts";
import { DatagramBatch } from "../../src/satp/batch.ts";
import type { CryptoEngine } from "../../src/satp/engine.ts";
import { roleFromName } from "../../src/satp/params.ts";
import {
  applyCipher,
  authenticateBatch,
  sealBatch,
} from "../../src/satp/pipeline.ts";
import { schedulePair } from "../../src/satp/key_derivation.ts";
import { whyNoIpsecMb, whyNoLibcrypto } from "../../lab/engines.ts";
import { paramsOf, secretsOf, type VectorParams } from "./satp.ts";
import { fromHex, loadVectors, toHex } from "./vectors.ts";
import { testUnless } from "../../lab/test_unless.ts";

interface Vectors {
  readonly sets: readonly {
    readonly id: string;
    readonly peer_role: string;
    readonly params: VectorParams & { readonly role: string };
    readonly packets: readonly {
      readonly plain_hex: string;
      readonly payload_type: string;
      readonly datagram_hex: string;
    }[];
  }[];
}

type VectorSet = Vectors["sets"][number];

/** An engine and the memory that it works on. */
interface Bench extends Disposable {
  readonly engine: CryptoEngine;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly freeAt: number;
}

const MEMORY_BYTES = 1 << 20;

const BENCHES: Readonly<Record<string, () => Bench>> = {
  webcrypto: () => ({
    engine: new WebCryptoEngine(crypto.subtle),
    memory: new Uint8Array(MEMORY_BYTES),
    freeAt: 0,
    [Symbol.dispose]() {},
  }),
  builtin: () => {
    const { engine, bytes, freeAt } = openBuiltin(MEMORY_BYTES);
    return { engine, memory: bytes, freeAt, [Symbol.dispose]() {} };
  },
  openssl: () => {
    const libcrypto = openLibcrypto();
    const arena = new Arena(MEMORY_BYTES);
    const engine = new OpensslEngine(libcrypto, arena);
    return {
      engine,
      memory: arena.bytes,
      freeAt: arena.take(arena.free - 16, 16),
      [Symbol.dispose]: () => libcrypto.close(),
    };
  },
  "ipsec-mb": () => {
    const ipsecMb = openIpsecMb();
    const libcrypto = openLibcrypto();
    const arena = new Arena(MEMORY_BYTES);
    const engine = new IpsecMbEngine(ipsecMb, libcrypto, arena);
    return {
      engine,
      memory: arena.bytes,
      freeAt: arena.take(arena.free - 16, 16),
      [Symbol.dispose]() {
        libcrypto.close();
        ipsecMb.close();
      },
    };
  },
};

const { sets } = loadVectors<Vectors>("datagrams.json");
const MISSING: Readonly<Record<string, string | null>> = {
  openssl: whyNoLibcrypto(),
  "ipsec-mb": whyNoIpsecMb(),
};

for (const [name, open] of Object.entries(BENCHES)) {
  const reason = MISSING[name] ?? null;
  testUnless(
    [reason],
    `the engine ${name} seals and opens every recorded datagram`,
    async () => {
      for (const set of sets) {
        using bench = open();
        await sealsAndOpens(bench, set);
      }
    },
  );
}

async function sealsAndOpens(bench: Bench, set: VectorSet): Promise<void> {
  const { engine, memory } = bench;
  const secrets = await secretsOf(set.params);
  const sealed = set.packets.map(({ datagram_hex }) => datagram_hex);
  const clear = set.packets.map(clearHex);

  const batch = lay(bench, set, clear);
  const own = roleFromName(set.params.role) ?? "left";
  const ours = await schedulePair(engine, secrets, own);
  await sealBatch(engine, batch, set.packets.map(() => ours.seal));
  const { tagLength } = batch.params;
  assert.deepEqual(hexOf(memory, batch, tagLength), sealed, set.id);

  const peer = roleFromName(set.peer_role) ?? "right";
  const theirs = await schedulePair(engine, secrets, peer);
  const schedules = set.packets.map(() => theirs.open);
  await authenticateBatch(engine, batch, schedules);
  assert.ok(batch.wanted.subarray(0, batch.count).every((w) => w === 1));
  await applyCipher(engine, batch);
  assert.deepEqual(hexOf(memory, batch, 0), clear, set.id);
  ours.seal.master?.close();
  theirs.open.master?.close();
}

function clearHex(packet: VectorSet["packets"][number]): string {
  const header = packet.datagram_hex.slice(0, 16);
  return header + packet.payload_type + packet.plain_hex;
}

/** Lays datagrams, still in clear, into the memory, at odd places too. */
function lay(
  bench: Bench,
  set: VectorSet,
  clear: readonly string[],
): DatagramBatch {
  const params = paramsOf(set.params);
  const { memory, freeAt } = bench;
  const batch = new DatagramBatch(memory, params, clear.length, freeAt);
  let at = freeAt + DatagramBatch.regionBytes(params, clear.length);
  for (const [i, hex] of clear.entries()) {
    const bytes = fromHex(hex);
    memory.set(bytes, at);
    batch.at[i] = at;
    batch.size[i] = bytes.length;
    batch.wanted[i] = 1;
    at += bytes.length + 20 + 1;
  }
  batch.count = clear.length;
  return batch;
}

function hexOf(
  memory: Uint8Array,
  batch: DatagramBatch,
  more: number,
): string[] {
  return Array.from({ length: batch.count }, (_, i) => {
    const at = batch.at[i] ?? 0;
    return toHex(memory.subarray(at, at + (batch.size[i] ?? 0) + more));
  });
}
