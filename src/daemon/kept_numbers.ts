// Numbers that outlive the daemon: the folder they are kept in, and the service
// that keeps them ahead of use.
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import { NO_STATE_DIR } from "../config/connection.ts";
import { reasonOf } from "../log/reason.ts";
import type { Logger } from "../log/logger.ts";
import { AcceptedNumbers } from "../state/accepted_numbers.ts";
import { bootIdOf } from "../state/accepted_records.ts";
import { NumberKeeper } from "../state/number_keeper.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { Service } from "./lifecycle.ts";
import type { Frame } from "./run_program.ts";
import type { World } from "./world.ts";

/** At a million packets a second a tenth of the first block. */
const LOOK_MS = 100;

export const DEFAULT_FOLDER = "/var/lib/anytun";

type StateOptions = Pick<AnytunOptions, "stateDir" | "allowWrap">;

export interface KeptState {
  readonly folder: StateFolder;
  readonly numbers: NumberKeeper;
  /** undefined where there is no place for them. */
  readonly accepted: AcceptedNumbers | undefined;
}

type StateWorld = Pick<
  World,
  "bootId" | "hash" | "openStateFolder" | "stateDirectory"
>;

/**
 * @returns undefined if none is to be kept, or there is no place for it
 * @throws if the folder that was asked for is of no use
 */
export function openState(
  { stateDir, allowWrap }: StateOptions,
  world: StateWorld,
  { logger, identity }: Pick<Frame, "logger" | "identity">,
): KeptState | undefined {
  const path = stateDir ?? world.stateDirectory ?? DEFAULT_FOLDER;
  if (path === NO_STATE_DIR) return undefined;
  try {
    const folder = world.openStateFolder(path, identity);
    const { hash } = world;
    const numbers = new NumberKeeper({ folder, hash, logger, allowWrap });
    const accepted = openAccepted(folder, world, logger);
    return { folder, numbers, accepted };
  } catch (error) {
    if (stateDir !== undefined) {
      throw new Error(`${reasonOf(error)} (--state-dir)`, { cause: error });
    }
    logger.warning(
      `no state is kept (--state-dir): ${reasonOf(error)}; sequence numbers ` +
        "begin at 0, and whoever starts again with the same key and sender " +
        "id uses key streams again",
    );
    return undefined;
  }
}

function openAccepted(
  folder: StateFolder,
  world: StateWorld,
  logger: Logger,
): AcceptedNumbers | undefined {
  try {
    const bootId = bootIdOf(world.bootId());
    return new AcceptedNumbers({ folder, bootId, logger });
  } catch (error) {
    logger.warning(
      `${reasonOf(error)} (--state-dir): after a restart recordings of ` +
        "datagrams that were accepted may be accepted once more",
    );
    return undefined;
  }
}

/** Between the data plane, which it outlives, and the folder. */
export class KeptNumbers implements Service {
  readonly name = "numbers in use";
  readonly #options: Pick<StateOptions, "allowWrap">;
  readonly #state: KeptState | undefined;
  readonly #table: ConnectionTable;
  readonly #world: Pick<World, "delay" | "now">;

  constructor(
    options: Pick<StateOptions, "allowWrap">,
    state: KeptState | undefined,
    table: ConnectionTable,
    world: Pick<World, "delay" | "now">,
  ) {
    this.#options = options;
    this.#state = state;
    this.#table = table;
    this.#world = world;
  }

  folders(): readonly number[] {
    return this.#state === undefined ? [] : [this.#state.folder.descriptor];
  }

  async run(stop: AbortSignal): Promise<void> {
    // Without either no number is held back.
    if (this.#state === undefined && !this.#options.allowWrap) return;
    const { delay, now } = this.#world;
    let second = 0;
    while (!stop.aborted) {
      this.#table.keepNumbersAhead();
      const seconds = Math.floor(now() / 1000);
      if (seconds !== second) void this.#state?.accepted?.look(seconds);
      second = seconds;
      await delay(LOOK_MS, stop).catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#table.settleNumbers();
    await this.#state?.accepted?.close();
    this.#state?.folder.close();
  }
}
