// Log files and streams, opened and opened again.
import { type ByteStream, LineStream } from "./line_stream.ts";
import { reasonOf } from "./reason.ts";
import type { LogTarget, StreamName } from "./target.ts";

/** How people call the standard streams where only a file is expected. */
const STREAMS = /^\/(?:dev\/|proc\/self\/fd\/)(?:(stdout|1)|stderr|2)$/;

export interface LogFile {
  /** Writes all of the bytes through to the system. */
  write(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** The syslog of the system; each write is one line. */
type Syslog = LogFile;

/** What a log writes to, and the clock for its lines. */
export interface LogSurroundings {
  readonly stdout: ByteStream;
  readonly stderr: ByteStream;
  /** Those of the standard streams that the journal of systemd reads. */
  readonly journalStreams?: readonly StreamName[];
  openFile(path: string): LogFile;
  /**
   * Tells files apart, whatever they are called.
   * @returns undefined if there is no file of that name
   */
  fileIdentity(path: string): string | undefined;
  openSyslog(): Syslog;
  now(): number;
  readonly pid: number;
}

export class Outlet {
  readonly target: LogTarget;
  readonly #surroundings: LogSurroundings;
  #file: LogFile;
  #identity: string | undefined;

  constructor(target: LogTarget, surroundings: LogSurroundings) {
    this.target = target;
    this.#surroundings = surroundings;
    this.#file = openTarget(target, surroundings);
    this.#identity = this.#identityNow();
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#file.write(bytes);
  }

  /**
   * Opens a file again, unless its path still leads to the one that is open.
   * @throws if it cannot be opened; everything is as it was then
   */
  reopen(): void {
    const identity = this.#identityNow();
    if (identity !== undefined && identity === this.#identity) return;
    const file = openTarget(this.target, this.#surroundings);
    this.#file.close();
    this.#file = file;
    this.#identity = this.#identityNow();
  }

  close(): void {
    this.#file.close();
  }

  #identityNow(): string | undefined {
    const { target } = this;
    return target.kind === "file"
      ? this.#surroundings.fileIdentity(target.path)
      : undefined;
  }
}

function openTarget(target: LogTarget, surroundings: LogSurroundings): LogFile {
  switch (target.kind) {
    case "stdout":
    case "stderr":
      return streamLog(surroundings[target.kind]);
    case "syslog":
      return named(
        target.isDefault
          ? "syslog, the default in the background"
          : "syslog (--log syslog)",
        () => surroundings.openSyslog(),
      );
    case "file": {
      const { path } = target;
      const stream = STREAMS.exec(path);
      const instead = stream &&
        `, for which there is --log ${
          stream[1] === undefined ? "stderr" : "stdout"
        }`;
      const what = `the file '${path}' (--log file)${instead ?? ""}`;
      return named(what, () => surroundings.openFile(path));
    }
  }
}

function named(what: string, open: () => LogFile): LogFile {
  try {
    return open();
  } catch (cause) {
    throw new Error(`Cannot log to ${what}: ${reasonOf(cause)}`, { cause });
  }
}

/** Nobody closes the stream here. */
function streamLog(stream: ByteStream): LogFile {
  const lines = new LineStream(stream);
  return { write: (bytes) => lines.write(bytes), close() {} };
}
