// The script that is told when this member is announced, and when no more.
//
// A process that is started with all rights runs it for each change: the daemon
// itself can start no program any more (see the down script).
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import { formatPrefix } from "../net/prefix.ts";
import {
  LONGEST_RUN_SECONDS,
  type ProcessControl,
  type ProgramStart,
  RUN_ENDED,
  type WordProgram,
} from "./process_control.ts";
import { OUTPUT_LIMIT, PATH, READ_MS } from "./script.ts";
import type { World } from "./world.ts";

/** The end waits no longer. */
export const PATIENCE_MS = 10_000;

type AnnounceWord = "announce" | "withdraw";

interface ScriptContext extends Pick<World, "elapsed" | "every"> {
  readonly control: Pick<ProcessControl, "listen">;
  readonly logger: Logger;
}

type AnnounceScriptOptions = Pick<AnytunOptions, "announce" | "name">;

/** Without the word in front of its arguments. */
export function announceStart(
  path: string,
  { announce, name }: AnnounceScriptOptions,
): ProgramStart {
  const addresses = announce?.addresses.map(formatPrefix) ?? [];
  return {
    path,
    args: addresses,
    env: {
      PATH,
      ANYTUN_NAME: name,
      ANYTUN_ANYCAST_ADDRESSES: addresses.join(" "),
      ANYTUN_ANYCAST_DEVICE: announce?.device ?? "",
    },
  };
}

export class AnnounceScript {
  readonly #path: string;
  readonly #program: WordProgram;
  readonly #context: ScriptContext;
  readonly #limited: RateLimitedLog;
  /** Words whose runs have not ended. */
  readonly #running: AnnounceWord[] = [];
  /** Of the last run that has ended: the guard says words as well. */
  #last: string | undefined;
  #isGone = false;

  /** @throws if there is no process for it */
  constructor(
    path: string,
    options: AnnounceScriptOptions,
    context: ScriptContext,
  ) {
    const { control, elapsed, logger } = context;
    this.#path = path;
    this.#context = context;
    this.#limited = new RateLimitedLog(logger, OUTPUT_LIMIT, elapsed);
    this.#program = control.listen(announceStart(path, options));
  }

  /** For whoever else has to tell it. */
  get words(): number {
    return this.#program.words;
  }

  say(word: AnnounceWord): void {
    if (this.#isGone) return;
    // Its guard was sooner, and was heard.
    if (this.#running.length === 0 && this.#last === word) return;
    this.#context.logger.notice(`executing '${this.#path} ${word}'`);
    this.#running.push(word);
    this.#program.say(word);
  }

  /** Reads what it has written, and how its runs ended. */
  look(): void {
    const name = `script '${this.#path}'`;
    for (const line of this.#program.readLines() ?? []) {
      if (line === "") continue;
      this.#limited.write("notice", name, () => `${name}: ${line}`);
    }
    this.#limited.flush();
    const ends = this.#program.readEnds();
    for (const { word, status } of ends ?? []) {
      this.#last = word;
      if (this.#running[0] === word) this.#running.shift();
      const how = status === RUN_ENDED
        ? `was ended after ${LONGEST_RUN_SECONDS} s`
        : `returned ${status}`;
      const text = `script '${this.#path} ${word}' ${how}`;
      if (status === 0) this.#context.logger.notice(text);
      else this.#context.logger.error(`${text} (--announce-script)`);
    }
    if (ends !== undefined || this.#isGone) return;
    this.#isGone = true;
    this.#context.logger.error(
      `the process that runs ${name} (--announce-script) has ended: it is ` +
        "told nothing more until the next start",
    );
  }

  /** Waits for what runs, but not for long. */
  async settled(): Promise<void> {
    const { elapsed, every, logger } = this.#context;
    const deadline = elapsed() + PATIENCE_MS;
    const over = new AbortController();
    await every(READ_MS, () => {
      this.look();
      const isLate = elapsed() >= deadline;
      if (this.#running.length > 0 && !this.#isGone && !isLate) return;
      if (isLate) {
        logger.warning(
          `script '${this.#path}' (--announce-script) has not ended after ` +
            `${PATIENCE_MS / 1000} s: going on without it`,
        );
      }
      over.abort();
    }, over.signal);
  }

  close(): void {
    this.#program.say("end");
    this.#program[Symbol.dispose]();
  }
}
