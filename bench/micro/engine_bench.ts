/**
 * What each engine needs to seal and to open one batch of packets, as TCP at
 * the default MTU fills it.
 *
 * @module
 */
import { openIpsecMb } from "../../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { openBuiltin } from "../../src/crypto/builtin.ts";
import { IpsecMbEngine } from "../../src/crypto/ipsec_mb.ts";
import { OpensslEngine } from "../../src/crypto/openssl.ts";
import { WebCryptoEngine } from "../../src/crypto/webcrypto.ts";
import { DatagramBatch } from "../../src/satp/batch.ts";
import type { CryptoEngine, SyncCryptoEngine } from "../../src/satp/engine.ts";
import { writeHeader } from "../../src/satp/header.ts";
import type { SatpParameters } from "../../src/satp/params.ts";
import { authenticateBatch, sealBatch } from "../../src/satp/pipeline.ts";
import { schedulePair } from "../../src/satp/key_derivation.ts";
import { whyNoIpsecMb } from "../../lab/engines.ts";

const DATAGRAMS = 64;
const SIZE = 1410;
const PARAMS: SatpParameters = {
  cipher: "aes-ctr-128",
  kdPrf: "aes-ctr-128",
  authAlgo: "sha1",
  tagLength: 10,
};
const SECRETS = {
  key: crypto.getRandomValues(new Uint8Array(16)),
  salt: crypto.getRandomValues(new Uint8Array(14)),
};

const arena = new Arena(1 << 20);
const libcrypto = openLibcrypto();

function lay(batch: DatagramBatch, firstAt: number): DatagramBatch {
  for (let i = 0; i < DATAGRAMS; i++) {
    const at = firstAt + i * (SIZE + PARAMS.tagLength);
    batch.at[i] = at;
    batch.size[i] = SIZE;
    batch.wanted[i] = 1;
    writeHeader(batch.memory, at, i, 0, 0);
  }
  batch.count = DATAGRAMS;
  return batch;
}

function inArena(): DatagramBatch {
  const region = DatagramBatch.regionBytes(PARAMS, DATAGRAMS);
  const at = arena.take(region, 64);
  const batch = new DatagramBatch(arena.bytes, PARAMS, DATAGRAMS, at);
  return lay(batch, arena.take(DATAGRAMS * (SIZE + PARAMS.tagLength), 64));
}

function inBuiltin(): readonly [SyncCryptoEngine, DatagramBatch] {
  const bytes = DatagramBatch.slottedBytes(PARAMS, DATAGRAMS, 2048);
  const opened = openBuiltin(bytes);
  const batch = DatagramBatch.slotted(
    opened.bytes,
    PARAMS,
    DATAGRAMS,
    2048,
    opened.freeAt,
  );
  return [opened.engine, lay(batch, batch.startOf(0))];
}

function standalone(): DatagramBatch {
  return lay(DatagramBatch.standalone(PARAMS, DATAGRAMS, 2048), 0);
}

async function schedules(engine: CryptoEngine) {
  const pair = await schedulePair(engine, SECRETS, "left");
  return Array(DATAGRAMS).fill(pair.seal);
}

/** Nothing where the library is not installed. */
function ipsecMb(): SyncCryptoEngine[] {
  if (whyNoIpsecMb() !== null) return [];
  return [new IpsecMbEngine(openIpsecMb(), libcrypto, arena)];
}

const synchronous: readonly (readonly [SyncCryptoEngine, DatagramBatch])[] = [
  ...ipsecMb().map((engine) => [engine, inArena()] as const),
  [new OpensslEngine(libcrypto, arena, () => performance.now()), inArena()],
  inBuiltin(),
];
for (const [engine, batch] of synchronous) {
  const keys = await schedules(engine);
  Deno.bench(`${engine.name}: seal ${DATAGRAMS} x ${SIZE} bytes`, {
    group: "seal",
  }, () => sealBatch(engine, batch, keys));
  Deno.bench(`${engine.name}: authenticate ${DATAGRAMS} x ${SIZE} bytes`, {
    group: "authenticate",
  }, () => {
    batch.wanted.fill(1);
    authenticateBatch(engine, batch, keys);
  });
}

const webcrypto = new WebCryptoEngine(crypto.subtle);
const webcryptoBatch = standalone();
const webcryptoKeys = await schedules(webcrypto);
Deno.bench(`webcrypto: seal ${DATAGRAMS} x ${SIZE} bytes`, {
  group: "seal",
}, () => sealBatch(webcrypto, webcryptoBatch, webcryptoKeys));
