// Engines of the portable plane, each with a memory of its kind.
import { openIpsecMb } from "../../../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../../ffi/memory.ts";
import { IPSEC_MB_ARENA_BYTES, IpsecMbEngine } from "../../crypto/ipsec_mb.ts";
import { openBuiltin } from "../../crypto/builtin.ts";
import { OPENSSL_ARENA_BYTES, OpensslEngine } from "../../crypto/openssl.ts";
import { WebCryptoEngine } from "../../crypto/webcrypto.ts";
import { DatagramBatch } from "../../satp/batch.ts";
import type { SyncCryptoEngine } from "../../satp/engine.ts";
import type { NativeEngineName } from "../native/messages.ts";
import type { SatpParameters } from "../../satp/params.ts";
import type { EngineOpener, OpenedEngine } from "./builder.ts";
import { portableBatchBytes } from "./plane.ts";

/** Bytes of an arena for the engine itself and for alignment. */
const ENGINE_BYTES = 4096;

export function portableEngine(
  name: NativeEngineName | "webcrypto",
  now: () => number,
): EngineOpener {
  switch (name) {
    case "ipsec-mb":
      return onArena(
        IPSEC_MB_ARENA_BYTES,
        (arena) => new IpsecMbEngine(openIpsecMb(), openLibcrypto(), arena),
      );
    case "openssl":
      return onArena(
        OPENSSL_ARENA_BYTES,
        (arena) => new OpensslEngine(openLibcrypto(), arena, now),
      );
    case "builtin":
      return onBuiltin;
    case "webcrypto":
      return () => ({
        engine: new WebCryptoEngine(crypto.subtle),
        newBatch: DatagramBatch.standalone,
      });
  }
}

function onBuiltin(params: SatpParameters): OpenedEngine {
  const { engine, bytes, freeAt } = openBuiltin(
    ENGINE_BYTES + portableBatchBytes(params),
  );
  let at = freeAt;
  return {
    engine,
    newBatch: (params, capacity, slotBytes) => {
      const from = at;
      at += DatagramBatch.slottedBytes(params, capacity, slotBytes);
      at = Math.ceil(at / 64) * 64;
      return DatagramBatch.slotted(bytes, params, capacity, slotBytes, from);
    },
  };
}

function onArena(
  extraBytes: number,
  newEngine: (arena: Arena) => SyncCryptoEngine,
): EngineOpener {
  return (params) => {
    const bytes = ENGINE_BYTES + extraBytes + portableBatchBytes(params);
    const arena = new Arena(bytes);
    return {
      engine: newEngine(arena),
      newBatch: (params, capacity, slotBytes) => {
        const bytes = DatagramBatch.slottedBytes(params, capacity, slotBytes);
        const at = arena.take(bytes, 64);
        return DatagramBatch.slotted(
          arena.bytes,
          params,
          capacity,
          slotBytes,
          at,
        );
      },
    };
  };
}
