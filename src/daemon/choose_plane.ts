/**
 * The choice of plane and engine: the fastest that this system has, unless
 * the options say which.
 *
 * @module
 */
import { openIpsecMb } from "../../ffi/ipsec_mb.ts";
import type { Libc } from "../../ffi/libc.ts";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import type { AnytunOptions } from "../config/anytun_options.ts";
import type { EngineChoice } from "../config/speed.ts";
import type { Logger } from "../log/logger.ts";
import type { NativeEngineName } from "../tunnel/native_messages.ts";
import { NativePlane } from "../tunnel/native_plane.ts";
import { NativeBuilder } from "./native_builder.ts";
import type { PlaneBuilder } from "./plane.ts";
import { PortableBuilder } from "./portable_builder.ts";
import { portableEngine } from "./portable_engine.ts";

/** What of the options decides. */
export type PlaneChoice = Pick<
  AnytunOptions,
  "engine" | "workers" | "offloads"
>;

/** An engine and why it was chosen. */
interface ChosenEngine<Name> {
  readonly name: Name;
  readonly why: string;
}

/**
 * Chooses. The native plane needs an engine that answers at once and workers;
 * where one is missing the portable plane takes over.
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
  const engine = chooseEngine(choice.engine, logger);
  const { name, why } = engine;
  const described = `data plane, engine ${name} (${why})`;
  if (name !== "webcrypto") {
    const plane = await loadWorkers(choice, libc, logger);
    if (plane !== undefined) {
      const workers = choice.workers === 1 ? "1 worker" : "2 workers";
      return new NativeBuilder(
        libc,
        plane,
        name,
        choice.offloads,
        `native ${described}, ${workers}`,
      );
    }
  }
  const opener = await portableEngine(name);
  return new PortableBuilder(libc, opener, now, `portable ${described}`);
}

async function loadWorkers(
  { workers }: PlaneChoice,
  libc: Libc,
  logger: Logger,
): Promise<NativePlane | undefined> {
  try {
    return await NativePlane.load(libc, workers);
  } catch (error) {
    logger.warning(
      `the native data plane, many times faster, is not to be had (${
        reasonOf(error)
      }): from source it needs --allow-read, the binary has it`,
    );
    return undefined;
  }
}

function chooseEngine(
  wanted: EngineChoice,
  logger: Logger,
): ChosenEngine<NativeEngineName | "webcrypto"> {
  if (wanted === "builtin" || wanted === "webcrypto") {
    return { name: wanted, why: "as asked for" };
  }
  try {
    const libcrypto = openLibcrypto();
    const { version } = libcrypto;
    libcrypto.close();
    return multiBuffer(wanted, logger) ?? { name: "openssl", why: version };
  } catch (error) {
    if (wanted !== "auto") throw error;
    logger.warning(
      `engine openssl, the fastest, is not to be had: ${reasonOf(error)}; ` +
        "install OpenSSL's libcrypto, version 3 or 1.1",
    );
    return { name: "builtin", why: "no libcrypto" };
  }
}

// What works on several datagrams at once needs libcrypto for the rest.
function multiBuffer(
  wanted: EngineChoice,
  logger: Logger,
): ChosenEngine<"ipsec-mb"> | undefined {
  if (wanted === "openssl") return undefined;
  try {
    const library = openIpsecMb();
    const { version } = library;
    library.close();
    return { name: "ipsec-mb", why: `libIPSec_MB ${version}` };
  } catch (error) {
    if (wanted === "ipsec-mb") throw error;
    logger.info(`engine ipsec-mb is not to be had: ${reasonOf(error)}`);
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
