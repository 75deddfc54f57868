// The script that runs at the end, while the device is still there.
//
// By then the daemon has no rights, may be in a jail, and can start no program. A
// process that is started beside the post-up script, with the same rights, waits
// for the word to become the script.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import type { Service } from "./lifecycle.ts";
import type { KeptProgram } from "./process_control.ts";
import {
  endText,
  followScript,
  type ScriptOptions,
  scriptStart,
  type ScriptWorld,
} from "./script.ts";

/** The end waits no longer. */
const PATIENCE_MS = 10_000;

type DownOptions = ScriptOptions & Pick<AnytunOptions, "downScript">;

export class DownScript implements Service {
  readonly name = "down script";
  readonly #options: DownOptions;
  readonly #device: () => DeviceHandle;
  readonly #world: ScriptWorld;
  readonly #logger: Logger;
  #kept: KeptProgram | undefined;

  constructor(
    options: DownOptions,
    device: () => DeviceHandle,
    world: ScriptWorld,
    logger: Logger,
  ) {
    this.#options = options;
    this.#device = device;
    this.#world = world;
    this.#logger = logger;
  }

  /** @throws if there is no process for it */
  start(): void {
    const { downScript: script } = this.#options;
    if (script === undefined) return;
    const program = scriptStart(script, this.#options, this.#device());
    try {
      const { control } = this.#world;
      this.#kept = this.#device().inside(() => control.keep(program));
    } catch (cause) {
      throw new Error(
        `Cannot prepare '${script}' (--down-script): ${reasonOf(cause)}`,
        { cause },
      );
    }
  }

  /** One that takes too long goes on by itself, without the device. */
  async close(): Promise<void> {
    const { downScript: script = "" } = this.#options;
    const kept = this.#kept;
    if (kept === undefined) return;
    this.#kept = undefined;
    const { delay } = this.#world;
    const logger = this.#logger;
    logger.notice(`executing down script '${script}'`);
    using cleanup = new DisposableStack();
    const waiting = new AbortController();
    cleanup.defer(() => waiting.abort());
    const followed = followScript(script, kept.run(), this.#world, logger);
    const late = delay(PATIENCE_MS, waiting.signal)
      .then(() => undefined, () => undefined);
    const end = await Promise.race([followed, late]);
    if (end === undefined) {
      logger.warning(
        `script '${script}' (--down-script) has not ended after ` +
          `${PATIENCE_MS / 1000} s: going on without it`,
      );
    } else logger.notice(endText(script, end));
  }
}
