/**
 * The choice of plane and engine: the fastest that this system has, unless
 * the options say which.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import type { AnytunOptions } from "../config/anytun_options.ts";
import { WebCryptoEngine } from "../crypto/webcrypto.ts";
import type { Logger } from "../log/logger.ts";
import type { NativeEngineName } from "../tunnel/native_messages.ts";
import { NativePlane } from "../tunnel/native_plane.ts";
import { NativeBuilder } from "./native_builder.ts";
import type { PlaneBuilder } from "./plane.ts";
import { PortableBuilder } from "./portable_builder.ts";

/** What of the options decides. */
export type PlaneChoice = Pick<
  AnytunOptions,
  "engine" | "workers" | "offloads"
>;

/**
 * Chooses.
 *
 * @param now A clock that never goes back, in milliseconds
 * @throws if the engine that was asked for by name cannot be had
 */
export async function choosePlane(
  choice: PlaneChoice,
  libc: Libc,
  now: () => number,
  logger: Logger,
): Promise<PlaneBuilder> {
  const portable = (why: string) =>
    new PortableBuilder(
      libc,
      new WebCryptoEngine(crypto.subtle),
      now,
      `portable data plane, engine webcrypto (${why})`,
    );
  if (choice.engine === "webcrypto") return portable("as asked for");

  const engine = chooseEngine(choice.engine, logger);
  try {
    const plane = await NativePlane.load(libc, choice.workers);
    const { workers, offloads } = choice;
    return new NativeBuilder(
      libc,
      plane,
      engine.name,
      offloads,
      `native data plane, engine ${engine.name} (${engine.why}), ${
        workers === 1 ? "1 worker" : "2 workers"
      }`,
    );
  } catch (error) {
    if (choice.engine !== "auto") throw error;
    logger.warning(
      `the native data plane, many times faster, is not to be had (${
        reasonOf(error)
      }): from source it needs --allow-read, the binary has it`,
    );
    return portable("no workers");
  }
}

function chooseEngine(
  wanted: "auto" | NativeEngineName,
  logger: Logger,
): { readonly name: NativeEngineName; readonly why: string } {
  if (wanted === "builtin") return { name: wanted, why: "as asked for" };
  try {
    const libcrypto = openLibcrypto();
    const { version } = libcrypto;
    libcrypto.close();
    return { name: "openssl", why: version };
  } catch (error) {
    if (wanted === "openssl") throw error;
    logger.warning(
      `engine openssl, the fastest, is not to be had: ${reasonOf(error)}; ` +
        "install OpenSSL's libcrypto, version 3 or 1.1",
    );
    return { name: "builtin", why: "no libcrypto" };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
