/**
 * The choice of the plane: the native one, unless the system or the options
 * are against it.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import type { AnytunOptions } from "../config/anytun_options.ts";
import type { Logger } from "../log/logger.ts";
import { NativePlane } from "../tunnel/native_plane.ts";
import { chooseEngine } from "./choose_engine.ts";
import { NativeBuilder } from "./native_builder.ts";
import type { PlaneBuilder } from "./plane.ts";
import { PortableBuilder } from "./portable_builder.ts";
import { portableEngine } from "./portable_engine.ts";

/** What of the options decides. */
export type PlaneChoice = Pick<
  AnytunOptions,
  "engine" | "workers" | "offloads"
>;

/** What the plane finds around it. */
export interface PlaneSurroundings {
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
  /** How many processors this process may use. */
  readonly processors: number;
}

/**
 * Chooses. The native plane needs an engine that answers at once and workers;
 * where one is missing the portable plane takes over.
 *
 * @throws if the engine that was asked for by name cannot be had
 */
export async function choosePlane(
  choice: PlaneChoice,
  libc: Libc,
  { now, processors }: PlaneSurroundings,
  logger: Logger,
): Promise<PlaneBuilder> {
  const { name, why } = chooseEngine(choice.engine, logger);
  const workers = choice.workers === "auto"
    ? workersFor(processors)
    : choice.workers;
  const described = `data plane, engine ${name} (${why})`;
  if (name !== "webcrypto") {
    const plane = await loadWorkers(workers, libc, logger);
    if (plane !== undefined) {
      const threads = workers === 1 ? "1 worker" : "2 workers";
      return new NativeBuilder(
        libc,
        plane,
        name,
        choice.offloads,
        `native ${described}, ${threads}`,
      );
    }
  }
  const opener = await portableEngine(name);
  return new PortableBuilder(libc, opener, now, `portable ${described}`);
}

// Where there are two processors a second worker of ours carries no more, as
// the kernel and others need one; but it delays packets, and takes memory.
function workersFor(processors: number): 1 | 2 {
  return processors > 2 ? 2 : 1;
}

async function loadWorkers(
  workers: 1 | 2,
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
