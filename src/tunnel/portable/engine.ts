// Engines of the portable plane, each with a memory of its kind.
import { Arena } from "../../../ffi/memory.ts";
import { WebCryptoEngine } from "../../crypto/webcrypto.ts";
import { DatagramBatch } from "../../satp/batch.ts";
import { ENGINE_ARENA_BYTES, engineMaker } from "../engine_maker.ts";
import type { NativeEngineName } from "../native/messages.ts";
import type { EngineOpener } from "./builder.ts";
import { type BatchMaker, portableBatchBytes } from "./plane.ts";

/** Bytes of an arena for alignment. */
const SPARE_BYTES = 4096;

export function portableEngine(
  name: NativeEngineName | "webcrypto",
  now: () => number,
): EngineOpener {
  if (name === "webcrypto") {
    return () => ({
      engine: new WebCryptoEngine(crypto.subtle),
      newBatch: DatagramBatch.standalone,
    });
  }
  return (params) => {
    const bytes = ENGINE_ARENA_BYTES + SPARE_BYTES + portableBatchBytes(params);
    const arena = new Arena(bytes);
    return {
      engine: engineMaker(name, now)(arena),
      newBatch: batchesOn(arena),
    };
  };
}

function batchesOn(arena: Arena): BatchMaker {
  return (params, capacity, slotBytes) => {
    const bytes = DatagramBatch.slottedBytes(params, capacity, slotBytes);
    const at = arena.take(bytes, 64);
    return DatagramBatch.slotted(arena.bytes, params, capacity, slotBytes, at);
  };
}
