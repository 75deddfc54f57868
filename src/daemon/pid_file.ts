/**
 * The file with the process id (CLI section 3).
 *
 * @module
 */
import type { PlacedFile } from "../../ffi/process/placed_file.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { Service } from "./lifecycle.ts";
import type { ProcessControl } from "./process_control.ts";

/** What of the options is about the file. */
export interface PidFileOptions {
  readonly pidFile: string | undefined;
  /** A jail, from which nothing leads to the file. */
  readonly chroot: string | undefined;
}

/** What of the outside it touches. */
export interface PidFileWorld {
  readonly pid: number;
  readonly control: Pick<ProcessControl, "placeFile">;
}

/** The file, if there is to be one; closing removes it. */
export class PidFile implements Service {
  readonly name = "pid file";
  readonly #options: PidFileOptions;
  readonly #world: PidFileWorld;
  readonly #logger: Logger;
  #file: PlacedFile | undefined;

  constructor(options: PidFileOptions, world: PidFileWorld, logger: Logger) {
    this.#options = options;
    this.#world = world;
    this.#logger = logger;
  }

  /**
   * Makes the file, whole, as the last thing that is done with privileges,
   * which it takes: unlike in the original nothing is left open that could be
   * written to later. It goes again if they cannot be given up.
   *
   * @param giveUp Gives up the privileges
   * @throws if the file cannot be made, or what `giveUp` throws
   */
  place(giveUp: () => void): void {
    const { pidFile, chroot } = this.#options;
    if (pidFile !== undefined) this.#file = this.#placed(pidFile);
    giveUp();
    if (this.#file === undefined || chroot === undefined) return;
    // A folder that is open is a way out of the jail, also without privileges:
    // worse than a file that stays behind.
    this.#file.close();
    this.#file = undefined;
    this.#logger.info(
      `pid file '${pidFile}' (--write-pid) will stay: the jail (--chroot) ` +
        "has no way to it",
    );
  }

  close(): void {
    try {
      this.#file?.remove();
    } catch (error) {
      const { pidFile } = this.#options;
      this.#logger.info(
        `pid file '${pidFile}' (--write-pid) stays: ${reasonOf(error)}`,
      );
    } finally {
      this.#file?.close();
    }
  }

  #placed(path: string): PlacedFile {
    const { control, pid } = this.#world;
    try {
      return control.placeFile(path, new TextEncoder().encode(String(pid)));
    } catch (cause) {
      throw new Error(
        `can't open pid file (--write-pid ${path}): ${reasonOf(cause)}`,
        { cause },
      );
    }
  }
}
