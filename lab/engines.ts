/** Libraries of cryptography that are there or are not, and what follows. */
import { openIpsecMb } from "../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../ffi/crypto/libcrypto.ts";
import type { NativeEngineName } from "../src/tunnel/native/messages.ts";

/** Why libcrypto cannot be used here, or null if it can. */
export function whyNoLibcrypto(): string | null {
  return whyNot(openLibcrypto);
}

/**
 * Why libIPSec_MB cannot be used here, or null if it can. Whatever uses it
 * needs libcrypto as well.
 */
export function whyNoIpsecMb(): string | null {
  return whyNot(openIpsecMb) ?? whyNoLibcrypto();
}

/** The engine that `auto` comes to on this system. */
export function fastestEngine(): NativeEngineName {
  if (whyNoIpsecMb() === null) return "ipsec-mb";
  return whyNoLibcrypto() === null ? "openssl" : "builtin";
}

function whyNot(open: () => { close(): void }): string | null {
  try {
    open().close();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
