// Numbers that outlive the daemon: the folder they are kept in, and the service
// that keeps them ahead of use.
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import { reasonOf } from "../log/reason.ts";
import { NumberKeeper } from "../state/number_keeper.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { Service } from "./lifecycle.ts";
import type { Frame } from "./run_program.ts";
import type { World } from "./world.ts";

/** At a million packets a second a tenth of the first block. */
const LOOK_MS = 100;

const DEFAULT_FOLDER = "/var/lib/anytun";

type StateOptions = Pick<AnytunOptions, "stateDir" | "allowWrap">;

export interface KeptState {
  readonly folder: StateFolder;
  readonly numbers: NumberKeeper;
}

/**
 * @returns undefined if none is to be kept, or there is no place for it
 * @throws if the folder that was asked for is of no use
 */
export function openState(
  { stateDir, allowWrap }: StateOptions,
  world: Pick<World, "hash" | "openStateFolder" | "stateDirectory">,
  { logger, identity }: Pick<Frame, "logger" | "identity">,
): KeptState | undefined {
  const path = stateDir ?? world.stateDirectory ?? DEFAULT_FOLDER;
  if (path === "none") return undefined;
  try {
    const folder = world.openStateFolder(path, identity);
    const { hash } = world;
    const numbers = new NumberKeeper({ folder, hash, logger, allowWrap });
    return { folder, numbers };
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

/** Between the data plane, which it outlives, and the folder. */
export class KeptNumbers implements Service {
  readonly name = "numbers in use";
  readonly #state: KeptState | undefined;
  readonly #table: ConnectionTable;
  readonly #delay: World["delay"];

  constructor(
    state: KeptState | undefined,
    table: ConnectionTable,
    delay: World["delay"],
  ) {
    this.#state = state;
    this.#table = table;
    this.#delay = delay;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const isBusy = this.#table.keepNumbersAhead();
      await this.#delay(isBusy ? 0 : LOOK_MS, stop).catch(() => {});
    }
  }

  close(): void {
    this.#table.settleNumbers();
    this.#state?.folder.close();
  }
}
