import { openIpsecMb } from "../ffi/ipsec_mb.ts";
import { whyNoLibcrypto } from "./libcrypto_missing.ts";

/**
 * Why tests of libIPSec_MB cannot run here, or null if they can. Whatever uses
 * it needs libcrypto as well.
 */
export function whyNoIpsecMb(): string | null {
  try {
    openIpsecMb().close();
    return whyNoLibcrypto();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
