// Choice of the engine: the fastest that this system has.
import { openIpsecMb } from "../../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../../ffi/crypto/libcrypto.ts";
import type { Logger } from "../log/logger.ts";
import type { NativeEngineName } from "./native/messages.ts";
import type { EngineChoice } from "./settings.ts";

export interface ChosenEngine {
  readonly name: NativeEngineName | "webcrypto";
  readonly why: string;
}

type LibraryOpener = () => { readonly version: string; close(): void };

export interface EngineLibraries {
  readonly libcrypto: LibraryOpener;
  readonly ipsecMb: LibraryOpener;
}

const SYSTEM_LIBRARIES: EngineLibraries = {
  libcrypto: openLibcrypto,
  ipsecMb: openIpsecMb,
};

/** @throws if the engine that was asked for by name is not available */
export function chooseEngine(
  wanted: EngineChoice,
  logger: Logger,
  libraries: EngineLibraries = SYSTEM_LIBRARIES,
): ChosenEngine {
  if (wanted === "builtin" || wanted === "webcrypto") {
    return { name: wanted, why: "as asked for" };
  }
  const libcrypto = versionOf(libraries.libcrypto);
  if (libcrypto instanceof Error) {
    if (wanted !== "auto") throw libcrypto;
    logger.warning(
      "engines ipsec-mb and openssl, the fast ones, are not available: " +
        `${libcrypto.message}; install OpenSSL's libcrypto, version 3 or 1.1`,
    );
    return { name: "builtin", why: "no libcrypto" };
  }
  const openssl: ChosenEngine = { name: "openssl", why: libcrypto };
  if (wanted === "openssl") return openssl;
  const ipsecMb = versionOf(libraries.ipsecMb);
  if (ipsecMb instanceof Error) {
    if (wanted !== "auto") throw ipsecMb;
    logger.info(
      `engine ipsec-mb, the fastest, is not available: ${ipsecMb.message}`,
    );
    return openssl;
  }
  return { name: "ipsec-mb", why: `libIPSec_MB ${ipsecMb}` };
}

function versionOf(open: LibraryOpener): string | Error {
  try {
    const library = open();
    const { version } = library;
    library.close();
    return version;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
