import { openLibcrypto } from "../ffi/libcrypto.ts";

/** Why tests of libcrypto cannot run here, or null if they can. */
export function whyNoLibcrypto(): string | null {
  try {
    openLibcrypto().close();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
