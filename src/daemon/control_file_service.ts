// The file of records that a control daemon serves, read and watched.
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { sameBytes } from "../satp/same_bytes.ts";
import {
  changedRecords,
  type ControlRecord,
  parseControlFile,
} from "../sync/control_file.ts";
import type { ControlChains } from "./control_chains.ts";
import type { RecordSink, RecordSource } from "./record_source.ts";
import type { World } from "./world.ts";

const POLL_MS = 2000;

type FileWorld = Pick<
  World,
  "delay" | "elapsed" | "fileVersion" | "readSecretFile"
>;

/**
 * A file that is written twice within a tick of its clock seems to be the same,
 * so that it is read once more after the longest one, that of FAT. To count looks
 * would not do: an epoch that begins, or a HUP, makes two follow at once.
 */
const TICK_MS = 2000;

/** How far apart two readings are, at least, that agree. */
const SETTLED_MS = POLL_MS / 2;

interface ControlFile {
  readonly path: string;
  /** The option that it is known by. */
  readonly named: string;
  /** Connections whose keys are not those of the file. */
  readonly chains?: ControlChains | undefined;
  readonly sink: RecordSink;
}

export class ControlFileService implements RecordSource {
  readonly name = "control file";
  readonly #file: string;
  readonly #sink: RecordSink;
  readonly #world: FileWorld;
  readonly #logger: Logger;
  readonly #chains: ControlChains | undefined;
  readonly #named: string;
  /** As in the file, and as they are served. */
  #records: readonly ControlRecord[] = [];
  #served: readonly ControlRecord[] = [];
  /** The file as last read, since when, and whether that has been parsed. */
  #seen: Uint8Array = new Uint8Array(0);
  #seenAt = 0;
  #parsed = true;
  #readable = true;
  /** As it was when it was looked at last, since when, and the last reading. */
  #version: string | undefined;
  #versionAt = 0;
  #readAt = 0;
  #public = false;

  constructor(
    { path, named, chains, sink }: ControlFile,
    world: FileWorld,
    logger: Logger,
  ) {
    this.#chains = chains;
    this.#named = named;
    this.#file = path;
    this.#sink = sink;
    this.#world = world;
    this.#logger = logger;
  }

  /** @throws if clients could not read what is in the file */
  start(): void {
    const file = this.#file;
    try {
      this.#seen = this.#readSecrets();
      this.#records = parseControlFile(this.#seen);
      this.#chains?.load(this.#records);
      this.#served = this.#present();
    } catch (cause) {
      throw new Error(
        `Cannot serve '${file}' (${this.#named}): ${reasonOf(cause)}`,
        {
          cause,
        },
      );
    }
    this.#logger.notice(`serving ${this.#records.length} records of ${file}`);
    if (this.#chains === undefined) return;
    const { count } = this.#chains;
    const text = `${count} connections have a key chain (--key-chains)`;
    if (count > 0) this.#logger.notice(text);
    else this.#logger.warning(`${text}: a file of it is called by its mux`);
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const wait = this.#chains?.untilNext(POLL_MS) ?? POLL_MS;
      await this.#world.delay(wait, stop).catch(() => {});
      if (stop.aborted) return;
      this.#look("by itself");
      this.#publish();
    }
  }

  reload(): void {
    this.#look("on request");
  }

  report(): readonly string[] {
    return [`serving ${this.#records.length} records`];
  }

  snapshot(): readonly string[] {
    return this.#served.map(({ text }) => text);
  }

  /**
   * Reloads a changed file: on request at once, else when two readings agree,
   * since somebody may be writing it.
   */
  #look(why: "by itself" | "on request"): void {
    const now = why === "on request";
    if (this.#isStill() && !now) return;
    this.#readAt = this.#world.elapsed();
    const bytes = this.#read();
    if (bytes === undefined) return;
    const isSettled = this.#note(bytes);
    if (!now && (this.#parsed || !isSettled)) return;
    this.#parsed = true;
    this.#take(bytes);
  }

  /** @returns whether it has been the same for a while */
  #note(bytes: Uint8Array): boolean {
    const now = this.#world.elapsed();
    if (!sameBytes(bytes, this.#seen)) {
      this.#parsed = false;
      this.#seenAt = now;
    }
    this.#seen = bytes;
    return now - this.#seenAt >= SETTLED_MS;
  }

  /** Whether it need not be read: it has tens of megabytes, every two seconds. */
  #isStill(): boolean {
    const version = this.#world.fileVersion(this.#file);
    const isSame = version !== undefined && version === this.#version;
    if (!isSame) this.#versionAt = this.#world.elapsed();
    this.#version = version;
    const isPastTick = this.#readAt - this.#versionAt > TICK_MS;
    return isPastTick && this.#parsed && this.#readable;
  }

  #present(): readonly ControlRecord[] {
    return this.#chains?.present(this.#records) ?? this.#records;
  }

  #publish(): void {
    const before = this.#served;
    this.#served = this.#present();
    if (this.#served === before) return;
    for (const { text } of changedRecords(before, this.#served)) {
      this.#sink.push(text);
    }
    // What others have taken the place of is known to be by now.
    for (const { text } of changedRecords(this.#served, before)) {
      this.#sink.remove(text);
    }
  }

  #read(): Uint8Array | undefined {
    try {
      const bytes = this.#readSecrets();
      this.#readable = true;
      return bytes;
    } catch (error) {
      if (this.#readable) {
        this.#logger.warning(
          `Cannot read '${this.#file}' (${this.#named}) again: ${
            reasonOf(error)
          }; ` +
            "what was read before stays in use",
        );
      }
      this.#readable = false;
      return undefined;
    }
  }

  /** Warns once for as long as others can read the file. */
  #readSecrets(): Uint8Array {
    const file = this.#file;
    const { bytes, isPublic } = this.#world.readSecretFile(file);
    if (isPublic && !this.#public) {
      this.#logger.warning(
        `others have access to '${file}' (${this.#named}), which holds keys: ` +
          "use chmod 600",
      );
    }
    this.#public = isPublic;
    return bytes;
  }

  #take(bytes: Uint8Array): void {
    const file = this.#file;
    try {
      const before = this.#records;
      const after = parseControlFile(bytes, before);
      this.#chains?.load(after);
      const changed = changedRecords(before, after).length;
      const gone = changedRecords(after, before).length;
      this.#records = after;
      this.#publish();
      this.#logger.notice(
        `read ${file} again: ${changed} records are new, ` +
          `${gone} are gone`,
      );
    } catch (error) {
      this.#logger.error(
        `Cannot serve '${file}' (${this.#named}): ${reasonOf(error)}; ` +
          "what was read before stays in use",
      );
    }
  }
}
