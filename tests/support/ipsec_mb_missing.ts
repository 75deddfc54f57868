import { openIpsecMb } from "../../ffi/ipsec_mb.ts";

/** Why tests of libIPSec_MB cannot run here, or null if they can. */
export function whyNoIpsecMb(): string | null {
  try {
    openIpsecMb().close();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
