// Numbers that outlive the daemon: the folder they are kept in, and the service
// that keeps them ahead of use.
import type { AnytunOptions } from "../config/anytun.ts";
import { NO_STATE_DIR } from "../config/connection.ts";
import { reasonOf } from "../log/reason.ts";
import { KeptState } from "../state/kept_state.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { NumberUpkeep } from "../tunnel/number_upkeep.ts";
import type { Service } from "./lifecycle.ts";
import type { Frame } from "./run_program.ts";
import type { World } from "./world.ts";

export const DEFAULT_FOLDER = "/var/lib/anytun";

type StateWorld = Pick<
  World,
  "bootId" | "hash" | "openStateFolder" | "stateDirectory"
>;

/**
 * @returns undefined if none is to be kept, or there is no place for it
 * @throws if the folder that was asked for is of no use
 */
export function openState(
  { stateDir, allowWrap }: Pick<AnytunOptions, "stateDir" | "allowWrap">,
  { bootId, hash, openStateFolder, stateDirectory }: StateWorld,
  { logger, identity }: Pick<Frame, "logger" | "identity">,
): KeptState | undefined {
  const path = stateDir ?? stateDirectory ?? DEFAULT_FOLDER;
  if (path === NO_STATE_DIR) return undefined;
  try {
    const folder = openStateFolder(path, identity);
    return new KeptState(folder, { hash, bootId, logger, allowWrap });
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
  readonly #allowWrap: boolean;
  readonly #state: KeptState | undefined;
  readonly #upkeep: NumberUpkeep;

  constructor(
    { allowWrap }: Pick<AnytunOptions, "allowWrap">,
    state: KeptState | undefined,
    table: ConnectionTable,
    world: Pick<World, "every" | "now">,
  ) {
    this.#allowWrap = allowWrap;
    this.#state = state;
    this.#upkeep = new NumberUpkeep(table, state, world);
  }

  folders(): readonly number[] {
    return this.#state === undefined ? [] : [this.#state.descriptor];
  }

  async run(stop: AbortSignal): Promise<void> {
    // Without either no number is held back.
    if (this.#state === undefined && !this.#allowWrap) return;
    await this.#upkeep.run(stop);
  }

  close(): Promise<void> {
    return this.#upkeep.close();
  }
}
