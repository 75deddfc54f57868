// Construction of engines that answer at once, each on an arena of its user.
import { openIpsecMb } from "../../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../../ffi/crypto/libcrypto.ts";
import type { Arena } from "../../ffi/memory.ts";
import { BUILTIN_BYTES, BuiltinEngine } from "../crypto/builtin.ts";
import { IPSEC_MB_ARENA_BYTES, IpsecMbEngine } from "../crypto/ipsec_mb.ts";
import { OPENSSL_ARENA_BYTES, OpensslEngine } from "../crypto/openssl.ts";
import type { SyncCryptoEngine } from "../satp/engine.ts";
import type { NativeEngineName } from "./native/messages.ts";

export type EngineMaker = (arena: Arena) => SyncCryptoEngine;

/** What any of them takes of its arena at most. */
export const ENGINE_ARENA_BYTES = Math.max(
  IPSEC_MB_ARENA_BYTES,
  OPENSSL_ARENA_BYTES,
  BUILTIN_BYTES,
);

/**
 * Opens the libraries once for all engines that it makes.
 *
 * @param now A clock that never goes back, in milliseconds
 */
export function engineMaker(
  name: NativeEngineName,
  now: () => number,
): EngineMaker {
  if (name === "builtin") {
    return (arena) =>
      new BuiltinEngine(arena.memory, arena.take(BUILTIN_BYTES, 64));
  }
  const libcrypto = openLibcrypto();
  if (name === "openssl") {
    return (arena) => new OpensslEngine(libcrypto, arena, now);
  }
  const ipsecMb = openIpsecMb();
  return (arena) => new IpsecMbEngine(ipsecMb, libcrypto, arena);
}
