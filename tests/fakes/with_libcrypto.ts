import { type Libcrypto, openLibcrypto } from "../../ffi/crypto/libcrypto.ts";
import { whyNoLibcrypto } from "../../lab/engines.ts";
import { testUnless } from "../../lab/test_unless.ts";

/** Registers a test with libcrypto, unless that or something else is missing. */
export function libcryptoTest(
  missing: readonly (string | null)[],
  name: string,
  body: (libcrypto: Libcrypto) => void,
): void {
  testUnless([whyNoLibcrypto(), ...missing], name, () => {
    const libcrypto = openLibcrypto();
    try {
      body(libcrypto);
    } finally {
      libcrypto.close();
    }
  });
}
