/**
 * Other programs: run to their end ({@link run}, {@link outcomeOf}), or until
 * they are stopped ({@link LabProcess}).
 */

/**
 * Longer than anything takes on a machine that is busy with other things, in
 * seconds: only what never comes is to fail for want of time.
 */
export const PATIENCE_SECONDS = 30;

/** Runs leave nothing behind, nor does one know of another. */
const ENVIRONMENT = {
  NO_COLOR: "1",
  STATE_DIRECTORY: "none",
  RUNTIME_DIRECTORY: "off",
};

/** How a program is run to its end. */
export interface RunOptions {
  /** What the program reads on its standard input. */
  readonly input?: string;
  /** The longest time that the program may take (30). */
  readonly seconds?: number;
}

/** How a program ended, and what it wrote. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; one that takes too long is stopped. */
export async function outcomeOf(
  [program = "", ...args]: readonly string[],
  { input, seconds = PATIENCE_SECONDS }: RunOptions = {},
): Promise<Outcome> {
  const child = new Deno.Command(program, {
    args,
    env: ENVIRONMENT,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(seconds * 1000),
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/**
 * Runs a program that must succeed.
 *
 * @returns What it wrote to standard output.
 * @throws {Error} It failed or took too long; the message holds what it said.
 */
export async function run(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf(argv, options);
  if (code === 0) return stdout;
  const said = [stdout, stderr].map((part) => part.trim()).join(" ").trim();
  throw new Error(`Cannot run ${argv.join(" ")}: status ${code}: ${said}`);
}

/** How a process is started. */
export interface ProcessStart {
  /** What the process is called in error messages. */
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * A running program whose output is kept line by line, so that a test waits
 * for what the program says and never for a time.
 */
export class LabProcess implements AsyncDisposable {
  readonly title: string;
  readonly pid: number;
  /** Settles when the process has ended and its output has been read. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: string[] = [];
  readonly #watchers = new Set<() => void>();
  #status: Deno.CommandStatus | null = null;

  constructor(start: ProcessStart) {
    this.title = start.title;
    this.#child = new Deno.Command(start.program, {
      args: [...start.args],
      env: ENVIRONMENT,
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#input = this.#child.stdin.getWriter();
    this.ended = this.#run();
  }

  /** All lines of standard output and standard error so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Tells whether the process has ended and its output has been read. */
  get hasEnded(): boolean {
    return this.#status !== null;
  }

  /** The last lines so far, as one. */
  get lastWords(): string {
    return this.#lines.slice(-3).join(" | ");
  }

  /** Writes one line to the standard input of the process. */
  async tell(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(line + "\n"));
  }

  /** Ends the standard input of the process. */
  async closeInput(): Promise<void> {
    await this.#input.close();
  }

  /**
   * Waits until a line matches.
   *
   * @param after Number of lines, from the first, that are not looked at.
   * @returns The first line that matches.
   * @throws {Error} The process ended, or the time is over; the message holds
   * everything the process has said.
   */
  async line(
    pattern: RegExp,
    seconds = PATIENCE_SECONDS,
    after = 0,
  ): Promise<string> {
    const deadline = Date.now() + seconds * 1000;
    for (let seen = after;;) {
      const found = this.#lines.slice(seen).find((line) => pattern.test(line));
      if (found !== undefined) return found;
      seen = Math.max(after, this.#lines.length);
      const left = deadline - Date.now();
      if (this.#status !== null || left <= 0) {
        throw new Error(this.#complaint(pattern, seconds));
      }
      await this.#news(left);
    }
  }

  /**
   * Sends a signal and waits for the end; a process that does not listen is
   * killed.
   */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    this.#signal(signal);
    const killer = setTimeout(
      () => this.#signal("SIGKILL"),
      PATIENCE_SECONDS * 1000,
    );
    try {
      return await this.ended;
    } finally {
      clearTimeout(killer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // Deno's way of saying that the process has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #run(): Promise<Deno.CommandStatus> {
    await Promise.all([
      this.#collect(this.#child.stdout),
      this.#collect(this.#child.stderr),
    ]);
    const status = await this.#child.status;
    await this.#input.abort().catch(() => {});
    this.#status = status;
    this.#tellWatchers();
    return status;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const line of linesOf(stream)) {
      this.#lines.push(line);
      this.#tellWatchers();
    }
  }

  #tellWatchers(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }

  #news(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#watchers.add(() => {
      clearTimeout(timer);
      resolve();
    });
    return promise;
  }

  #complaint(pattern: RegExp, seconds: number): string {
    const state = this.#status === null
      ? `not within ${seconds} s`
      : `it ended with ${this.#status.signal ?? this.#status.code}`;
    const said = this.#lines.map((line) => `  ${line}`).join("\n");
    return `Cannot see ${pattern} from ${this.title}: ${state}, it said:\n${said}`;
  }
}

/** The first line of a stream, which is done with then; empty without any. */
export async function firstLine(
  stream: ReadableStream<Uint8Array>,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
