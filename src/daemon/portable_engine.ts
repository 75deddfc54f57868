/**
 * The engines as the portable plane uses them, each with a memory of its kind.
 *
 * @module
 */
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { OpensslEngine } from "../crypto/openssl.ts";
import { WebCryptoEngine } from "../crypto/webcrypto.ts";
import { DatagramBatch } from "../satp/batch.ts";
import type { NativeEngineName } from "../tunnel/native_messages.ts";
import { portableBatchBytes } from "../tunnel/portable_plane.ts";
import type { EngineOpener } from "./portable_builder.ts";

/** Bytes of an arena for the engine itself and for alignment. */
const ENGINE_BYTES = 4096;

/** How to open the engine of this name. */
export async function portableEngine(
  name: NativeEngineName | "webcrypto",
): Promise<EngineOpener> {
  const newBatch = DatagramBatch.standalone;
  switch (name) {
    case "openssl":
      return openOpenssl;
    case "builtin": {
      // node:crypto takes many megabytes: loaded only where used.
      const { BuiltinEngine } = await import("../crypto/builtin.ts");
      return () => ({ engine: new BuiltinEngine(), newBatch });
    }
    case "webcrypto":
      return () => ({ engine: new WebCryptoEngine(crypto.subtle), newBatch });
  }
}

const openOpenssl: EngineOpener = (params) => {
  const arena = new Arena(ENGINE_BYTES + portableBatchBytes(params));
  return {
    engine: new OpensslEngine(openLibcrypto(), arena),
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
