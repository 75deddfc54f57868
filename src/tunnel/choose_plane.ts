// Choice of the plane: the native one, unless it needs something that is not
// there: workers, or an engine that answers at once.
import type { Libc } from "../../ffi/libc.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { chooseEngine } from "./choose_engine.ts";
import { NativeBuilder } from "./native/builder.ts";
import { NativePlane } from "./native/plane.ts";
import type { PlaneBuilder } from "./plane.ts";
import { MAX_WORKERS, type TunnelSettings } from "./settings.ts";

/** A connection stays with one thread for each way. */
const MAX_WORKERS_OF_ONE = 2;

/** Each takes memory; who has a use for more can say so. */
const AUTO_WORKERS = 8;

interface PlaneSurroundings {
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
  readonly processors: number;
}

/** @throws if the engine that was asked for by name is not available */
export async function choosePlane(
  settings: TunnelSettings,
  libc: Libc,
  { now, processors }: PlaneSurroundings,
  logger: Logger,
): Promise<PlaneBuilder> {
  const { name, why } = chooseEngine(settings.engine, logger);
  const workers = workersFor(settings, processors);
  const described = `data plane, engine ${name} (${why})`;
  if (name !== "webcrypto") {
    const plane = await loadWorkers(workers, libc, logger);
    if (plane !== undefined) {
      if (workers < Number(settings.workers)) {
        logger.notice(
          `${workers} workers of ${settings.workers} (--workers) are ` +
            "started: a single connection has use for no more",
        );
      }
      const threads = workers === 1 ? "1 worker" : `${workers} workers`;
      return new NativeBuilder(settings, {
        ...{ libc, plane, engine: name, logger },
        description: `native ${described}, ${threads}`,
      });
    }
  }
  const { PortableBuilder } = await import("./portable/builder.ts");
  const { portableEngine } = await import("./portable/engine.ts");
  const opener = portableEngine(name, now);
  return new PortableBuilder(settings, {
    ...{ libc, openEngine: opener, now, logger },
    description: `portable ${described}`,
  });
}

// Where there are two processors a second worker of ours carries no more, as
// the kernel and others need one; but it delays packets, and takes memory.
function workersFor(
  { workers, routing }: TunnelSettings,
  processors: number,
): number {
  const most = routing ? MAX_WORKERS : MAX_WORKERS_OF_ONE;
  if (workers !== "auto") return Math.min(workers, most);
  if (processors <= 2) return 1;
  return Math.min(processors, routing ? AUTO_WORKERS : most);
}

async function loadWorkers(
  workers: number,
  libc: Libc,
  logger: Logger,
): Promise<NativePlane | undefined> {
  try {
    return await NativePlane.load(libc, workers);
  } catch (error) {
    logger.warning(
      `the native data plane, many times faster, is not available (${
        reasonOf(error)
      }): from source it needs --allow-read, the binary has it`,
    );
    return undefined;
  }
}
