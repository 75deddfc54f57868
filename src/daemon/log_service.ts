// The log of a daemon: files that were moved away, and other targets.
import { isSame } from "../config/same.ts";
import type { Log } from "../log/log.ts";
import { reasonOf } from "../log/reason.ts";
import type { LogFormat, LogTarget } from "../log/target.ts";
import type { Service } from "./lifecycle.ts";

export interface LoggedOptions {
  readonly logTargets: readonly LogTarget[];
  readonly logFormat: LogFormat;
}

export class LogService implements Service<LoggedOptions> {
  readonly name = "log";
  readonly live = ["log", "logFormat"];
  readonly #log: Log;
  #options: LoggedOptions;
  /** Those that were looked at last: others may have been at fault. */
  #checked:
    | { readonly options: LoggedOptions; readonly take: () => void }
    | undefined;

  constructor(log: Log, options: LoggedOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** @throws if a target cannot be opened */
  check(next: LoggedOptions, undo: DisposableStack): void {
    const { logTargets: targets, logFormat: format } = next;
    const { logTargets, logFormat } = this.#options;
    this.#checked = undefined;
    if (isSame(targets, logTargets) && format === logFormat) return;
    try {
      const take = this.#log.prepare({ targets, format }, undo);
      this.#checked = { options: next, take };
    } catch (error) {
      throw new Error(
        `${
          reasonOf(error)
        }; a running daemon may open files only as its user ` +
          "(--username), in its jail (--chroot), and in folders that its log " +
          "had at the start: others take a restart",
        { cause: error },
      );
    }
  }

  reload(next: LoggedOptions): void {
    if (this.#checked?.options === next) this.#checked.take();
    this.#checked = undefined;
    this.#options = next;
    this.#log.reopen();
  }

  report(): readonly string[] {
    this.#log.reopen();
    return [];
  }
}
