// State folder in use: the numbers that are reserved in it, and those accepted.
import type { PagesPlace } from "../../ffi/process/shared_pages.ts";
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { AcceptedNumbers } from "./accepted_numbers.ts";
import { type BootId, bootIdOf } from "./boot_id.ts";
import { NumberKeeper } from "./number_keeper.ts";
import type { Hash } from "./sealed_text.ts";

interface KeptStateOptions {
  readonly hash: Hash;
  /** Another one for each start of the system. */
  readonly bootId: () => string;
  readonly logger: Logger;
  /** See {@link NumberKeeper}. */
  readonly allowWrap: boolean;
}

export class KeptState {
  readonly numbers: NumberKeeper;
  readonly #folder: StateFolder;
  /** undefined where there is no place for them. */
  readonly #accepted: AcceptedNumbers | undefined;

  /** @param folder Closed with this */
  constructor(folder: StateFolder, options: KeptStateOptions) {
    const { hash, logger, allowWrap } = options;
    this.#folder = folder;
    this.numbers = new NumberKeeper({
      ...{ folder, hash, logger, allowWrap },
      bootId: bootIdOrNone(options),
    });
    this.#accepted = openAccepted(folder, options);
  }

  /** Of the folder. */
  get descriptor(): number {
    return this.#folder.descriptor;
  }

  /** Where threads note what they accept, if it is kept. */
  get accepted(): PagesPlace | undefined {
    return this.#accepted?.place;
  }

  /**
   * To be called every second.
   * @param now Seconds since 1970
   */
  look(now: number): void {
    void this.#accepted?.look(now);
  }

  /** Resolves when all is on the disk. */
  async close(): Promise<void> {
    try {
      await this.#accepted?.close();
    } finally {
      this.#folder.close();
    }
  }

  /** For a process that goes on, when no thread sends nor receives any more. */
  release(): void {
    this.numbers.release();
    this.#accepted?.release();
  }
}

/** Whoever keeps what was accepted says why there is none. */
function bootIdOrNone(
  { bootId }: Pick<KeptStateOptions, "bootId">,
): BootId | undefined {
  try {
    return bootIdOf(bootId());
  } catch {
    return undefined;
  }
}

function openAccepted(
  folder: StateFolder,
  { bootId, logger }: KeptStateOptions,
): AcceptedNumbers | undefined {
  try {
    return new AcceptedNumbers({ folder, bootId: bootIdOf(bootId()), logger });
  } catch (error) {
    logger.warning(
      `${reasonOf(error)} (--state-dir): after a restart recordings of ` +
        "datagrams that were accepted may be accepted once more",
    );
    return undefined;
  }
}
