// Frame of a daemon: log, signals, privileges, pid file, exit status.
import type { Identity } from "../../ffi/process/identity.ts";
import type { DaemonOptions } from "../config/general.ts";
import { EXIT_FAILED, EXIT_OK } from "../config/exit_status.ts";
import { type Log, openLog } from "../log/log.ts";
import type { Logger } from "../log/logger.ts";
import type { LogSurroundings } from "../log/outlet.ts";
import { reasonOf } from "../log/reason.ts";
import { FLUSH_MS, RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Every } from "../net/every.ts";
import { Lifecycle, type Service } from "./lifecycle.ts";
import type { Parent } from "./parent.ts";
import { PidFile } from "./pid_file.ts";
import { type LoggedOptions, LogService } from "./log_service.ts";
import { findIdentity, giveUpPrivileges } from "./privileges.ts";
import { refusalReports, sandboxNeeds } from "./sandbox.ts";
import { type Configured, LiveOptions } from "./reload.ts";
import { listenForSignals } from "./signals.ts";
import { spareMemory } from "./spare_memory.ts";
import { Supervisor } from "./supervisor.ts";
import type { World } from "./world.ts";

/** Log lines of one kind that others cause: five, then one in ten seconds. */
export const OTHERS_LOG_LIMIT = { burst: 5, perSecond: 0.1 };

export type ProgramWorld = Pick<
  World,
  | keyof LogSurroundings
  | "control"
  | "delay"
  | "every"
  | "elapsed"
  | "loadLookup"
  | "parent"
  | "monotonic"
  | "onSignal"
  | "openNotifySocket"
>;

type CommonOptions = DaemonOptions & LoggedOptions;

interface DaemonProgram<O extends CommonOptions> {
  readonly name: string;
  readonly configured: Configured<O>;
  readonly started?: string;
  /** In order; they start with all privileges, and run without. */
  services(
    frame: Frame,
  ): Promise<readonly Service<O>[]> | readonly Service<O>[];
}

export interface Frame {
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
  /** That the daemon changes to, if it does. */
  readonly identity: Identity | undefined;
  /** Has the service manager show this, while the daemon runs. */
  readonly showManager: (text: string) => void;
}

/** Runs the daemon until a signal or a failure ends it. */
export async function runProgram<O extends CommonOptions>(
  program: DaemonProgram<O>,
  world: ProgramWorld,
): Promise<number> {
  const { name, configured: { options, warnings } } = program;
  const { logTargets: targets, logFormat: format } = options;
  const { parent } = world;
  let isSaid = false;
  try {
    using log = openLog({ targets, format, program: name }, world);
    const { logger } = log;
    for (const warning of log.warnings) parent.say(`${name}: ${warning}`);
    logger.notice(`${name} started...`);
    for (const text of [...log.warnings, ...warnings]) logger.warning(text);
    try {
      await live(program, world, log);
    } catch (error) {
      logger.error(`uncaught runtime error, exiting: ${reasonOf(error)}`);
      const { sharedStreams } = parent;
      isSaid = log.errorStreams.some((name) => sharedStreams.includes(name));
      throw error;
    }
    return EXIT_OK;
  } catch (error) {
    if (!isSaid) tell(parent, `${name}: ${reasonOf(error)}`);
    return EXIT_FAILED;
  }
}

function tell(parent: Parent, failure: string): void {
  try {
    parent.failed(failure);
  } catch {
    // Nobody reads it: the status has to do.
  }
}

async function live<O extends CommonOptions>(
  program: DaemonProgram<O>,
  world: ProgramWorld,
  log: Log,
): Promise<void> {
  const { logger } = log;
  const { configured } = program;
  const { options } = configured;
  using cleanup = new DisposableStack();
  const lifecycle = new Lifecycle(logger, new LiveOptions(configured, logger));
  listenForSignals(world.onSignal, logger, lifecycle, cleanup);
  const supervisor = cleanup.use(
    new Supervisor(world.openNotifySocket(), world, logger, lifecycle),
  );
  const identity = findIdentity(options, world.control);
  // In a jail it cannot be loaded, and without the runtime's caches it should
  // not: long before both, as the runtime writes to them what it has loaded.
  if (options.chroot !== undefined || identity !== undefined) {
    await world.loadLookup();
  }
  const limited = new RateLimitedLog(logger, OTHERS_LOG_LIMIT, world.elapsed);
  const showManager = (text: string) => supervisor.detail(text);
  const pidFile = new PidFile(options, world, logger);
  const privileges: Service = {
    name: "privileges",
    start() {
      const written = services.flatMap((service) => service.folders?.() ?? []);
      const sockets = services.flatMap((service) => service.sockets?.() ?? []);
      const needs = sandboxNeeds(options, sockets, written);
      const kept = services.flatMap((one) => one.capabilities?.() ?? []);
      const become = identity && { ...identity, kept };
      pidFile.place(() =>
        giveUpPrivileges(options, become, needs, world.control, logger)
      );
      if (program.started !== undefined) logger.notice(program.started);
    },
  };
  const services: readonly Service<O>[] = [
    new LogService(log, options),
    heldBackLines(limited, world.every),
    refusalReports(world.control, world.every, logger),
    spareMemory(world.control, world.delay),
    // Removed last: without a pid file there is no device either.
    pidFile,
    ...await program.services({ logger, limited, identity, showManager }),
    // Afterwards nothing can fail but a name lookup.
    privileges,
  ];
  await lifecycle.run(services, [world.parent, supervisor]);
}

/** Reported from time to time, and at the end. */
function heldBackLines(log: RateLimitedLog, every: Every): Service {
  return {
    name: "lines held back",
    async run(stop) {
      await every(FLUSH_MS, () => log.flush(), stop);
      log.flush();
    },
  };
}
