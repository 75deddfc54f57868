/**
 * The daemon `anytun-controld`: serves a file of records to the members of a
 * cluster (sync section 7). Unlike the original it checks the file, and tells
 * its clients what has changed in it.
 *
 * @module
 */
import type { ControldOptions } from "../config/controld.ts";
import type { Log } from "../log/log.ts";
import type { Logger } from "../log/logger.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import { bindSync } from "../sync/bind.ts";
import {
  changedRecords,
  type ControlRecord,
  parseControlFile,
} from "../sync/control_file.ts";
import { KnownMembers } from "../sync/known_members.ts";
import { SyncServer } from "../sync/server.ts";
import { listenFor } from "../sync/transport.ts";
import { keepFlushing } from "./flush_log.ts";
import { PidFile } from "./pid_file.ts";
import { findIdentity, giveUpPrivileges } from "./privileges.ts";
import type { Identity } from "./process_control.ts";
import { runProgram } from "./run_program.ts";
import { listenForSignals } from "./signals.ts";
import { Supervisor } from "./supervisor.ts";
import type { World } from "./world.ts";

/** How often the file is looked at, in ms. */
const LOOK_MS = 2000;

/** Lines about clients of one kind: a handful, then one every ten seconds. */
const LOG_LIMIT = { burst: 5, perSecond: 0.1 };

/** Bytes of changes that may wait for a client: all of a large file. */
const MAX_WAITING = 64 << 20;

/** What of the outside the daemon touches. */
export type ControldWorld = Omit<
  World,
  "digest" | "hash" | "random" | "choosePlane" | "connectTcp"
>;

/**
 * Runs until a signal ends it.
 *
 * @param warnings What is legal but unwise in the options
 * @returns The exit status
 */
export function runControld(
  options: ControldOptions,
  warnings: readonly string[],
  world: ControldWorld,
): Promise<number> {
  return runProgram({
    name: "anytun-controld",
    options,
    warnings,
    run: (log) => new Controld(options, world, log).run(),
  }, world);
}

/** One run of the daemon. */
class Controld {
  readonly #options: ControldOptions;
  readonly #world: ControldWorld;
  readonly #log: Log;
  readonly #logger: Logger;
  readonly #limited: RateLimitedLog;
  #server: SyncServer | undefined;
  #records: readonly ControlRecord[] = [];
  /** The file as it was seen last, and whether that has been judged. */
  #seen: Uint8Array = new Uint8Array(0);
  #judged = true;
  #readable = true;
  #public = false;

  constructor(options: ControldOptions, world: ControldWorld, log: Log) {
    this.#options = options;
    this.#world = world;
    this.#log = log;
    this.#logger = log.logger;
    this.#limited = new RateLimitedLog(log.logger, LOG_LIMIT, world.elapsed);
  }

  async run(): Promise<void> {
    const { control, launcher, pid, openNotifySocket } = this.#world;
    const options = this.#options;
    using pidFile = new PidFile(options, this.#world, this.#logger);
    using cleanup = new DisposableStack();
    const stop = this.#listenForSignals(cleanup);
    const supervisor = cleanup.use(
      new Supervisor(openNotifySocket(), this.#logger),
    );
    stop.addEventListener("abort", () => supervisor.stopping());
    const identity = findIdentity(options, control);
    this.#readFirst();
    const server = await this.#listen(identity);
    cleanup.defer(() => server.close());
    pidFile.place(() =>
      giveUpPrivileges(options, identity, control, this.#logger)
    );
    launcher.ready();
    supervisor.ready(pid);
    await Promise.all([
      server.run(stop),
      this.#watch(stop),
      keepFlushing(this.#limited, this.#world.delay, stop),
    ]);
  }

  #listenForSignals(cleanup: DisposableStack): AbortSignal {
    const actions = {
      reload: () => {
        this.#log.reopen();
        this.#look(true);
      },
      report: () => {
        this.#log.reopen();
        this.#logger.notice(`serving ${this.#records.length} records`);
      },
    };
    const { onSignal } = this.#world;
    return listenForSignals(onSignal, this.#logger, actions, cleanup);
  }

  async #listen(identity: Identity | undefined): Promise<SyncServer> {
    const { lookup, delay, elapsed } = this.#world;
    const options = this.#options;
    // Nobody is named to it; it learns who has a certificate.
    const members = new KnownMembers();
    const listeners = await bindSync(
      options.controlHost,
      await listenFor(options, this.#world, identity, {
        members,
        delay,
        now: elapsed,
        log: this.#limited,
      }),
      lookup,
      this.#logger,
    ).catch((cause: Error) => {
      throw new Error(`${cause.message} (--control-host)`, { cause });
    });
    this.#server = new SyncServer({
      listeners,
      snapshot: () => this.#records.map(({ text }) => text),
      delay,
      log: this.#limited,
      isMember: (source) => members.has(source),
      maxWaiting: MAX_WAITING,
    });
    return this.#server;
  }

  #readFirst(): void {
    const { file } = this.#options;
    try {
      this.#seen = this.#readSecrets();
      this.#records = parseControlFile(this.#seen);
    } catch (cause) {
      throw new Error(`Cannot serve '${file}' (--file): ${textOf(cause)}`, {
        cause,
      });
    }
    this.#logger.notice(`serving ${this.#records.length} records of ${file}`);
  }

  async #watch(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#world.delay(LOOK_MS, stop).catch(() => {});
      if (!stop.aborted) this.#look(false);
    }
  }

  /**
   * Takes the file again if it has changed: at once if somebody says so, else
   * when it is the same at two looks, since it may be in the making.
   */
  #look(now: boolean): void {
    const bytes = this.#read();
    if (bytes === undefined) return;
    const settled = isSame(bytes, this.#seen);
    if (!settled) this.#judged = false;
    this.#seen = bytes;
    if (this.#judged && !now || !settled && !now) return;
    this.#judged = true;
    this.#take(bytes);
  }

  #read(): Uint8Array | undefined {
    const { file } = this.#options;
    try {
      const bytes = this.#readSecrets();
      this.#readable = true;
      return bytes;
    } catch (error) {
      if (this.#readable) {
        this.#logger.warning(
          `Cannot read '${file}' (--file) again: ${textOf(error)}; ` +
            "what was read before stays in use",
        );
      }
      this.#readable = false;
      return undefined;
    }
  }

  /** Says it once for as long as it lasts that others can read them, too. */
  #readSecrets(): Uint8Array {
    const { file } = this.#options;
    const { bytes, isPublic } = this.#world.readSecretFile(file);
    if (isPublic && !this.#public) {
      this.#logger.warning(
        `others have access to '${file}' (--file), which holds keys: ` +
          "use chmod 600",
      );
    }
    this.#public = isPublic;
    return bytes;
  }

  #take(bytes: Uint8Array): void {
    const { file } = this.#options;
    try {
      const before = this.#records;
      const after = parseControlFile(bytes);
      const changed = changedRecords(before, after);
      const gone = changedRecords(after, before).length;
      this.#records = after;
      for (const { text } of changed) this.#server?.push(text);
      this.#logger.notice(
        `read ${file} again: ${changed.length} records are new, ` +
          `${gone} are gone`,
      );
    } catch (error) {
      this.#logger.error(
        `Cannot serve '${file}' (--file): ${textOf(error)}; ` +
          "what was read before stays in use",
      );
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
