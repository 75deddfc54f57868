// The file with the process id (CLI section 3).
import type { PlacedFile } from "../../ffi/process/placed_file.ts";
import type { DaemonOptions } from "../config/general.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

type PidFileOptions = Pick<DaemonOptions, "chroot" | "pidFile">;
type PidFileWorld = Pick<World, "control" | "pid">;

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
   * Makes the file as the last step with privileges: unlike in the original,
   * nothing stays open that could be written to later.
   * @param giveUp Gives up the privileges
   * @throws if the file cannot be made, or what `giveUp` throws
   */
  place(giveUp: () => void): void {
    const { pidFile, chroot } = this.#options;
    if (pidFile !== undefined) this.#file = this.#placed(pidFile);
    giveUp();
    if (this.#file === undefined || chroot === undefined) return;
    // An open folder is a way out of the jail: worse than a file left behind.
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
