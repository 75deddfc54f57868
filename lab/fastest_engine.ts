import type { NativeEngineName } from "../src/tunnel/native_messages.ts";
import { whyNoIpsecMb } from "./ipsec_mb_missing.ts";
import { whyNoLibcrypto } from "./libcrypto_missing.ts";

/** The engine that `auto` comes to on this system. */
export function fastestEngine(): NativeEngineName {
  if (whyNoIpsecMb() === null) return "ipsec-mb";
  return whyNoLibcrypto() === null ? "openssl" : "builtin";
}
