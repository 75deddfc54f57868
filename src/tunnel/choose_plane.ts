// Choice of the plane: the native one, unless it needs something that is not
// there: workers, or an engine that answers at once.
import type { Libc } from "../../ffi/libc.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { chooseEngine } from "./choose_engine.ts";
import { NativeBuilder } from "./native/builder.ts";
import { NativePlane } from "./native/plane.ts";
import type { PlaneBuilder } from "./plane.ts";
import type { TunnelSettings } from "./settings.ts";

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
  const workers = settings.workers === "auto"
    ? workersFor(processors)
    : settings.workers;
  const described = `data plane, engine ${name} (${why})`;
  if (name !== "webcrypto") {
    const plane = await loadWorkers(workers, libc, logger);
    if (plane !== undefined) {
      const threads = workers === 1 ? "1 worker" : "2 workers";
      return new NativeBuilder(
        libc,
        plane,
        name,
        settings,
        logger,
        `native ${described}, ${threads}`,
      );
    }
  }
  const { PortableBuilder } = await import("./portable/builder.ts");
  const { portableEngine } = await import("./portable/engine.ts");
  const opener = portableEngine(name, now);
  return new PortableBuilder(
    libc,
    opener,
    now,
    settings,
    logger,
    `portable ${described}`,
  );
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
      `the native data plane, many times faster, is not available (${
        reasonOf(error)
      }): from source it needs --allow-read, the binary has it`,
    );
    return undefined;
  }
}
