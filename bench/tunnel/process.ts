/**
 * Running other programs: to their end ({@link run}) or until they are
 * stopped ({@link Daemon}).
 *
 * @module
 */

/** How {@link run} runs a program. */
export interface RunOptions {
  /** Ends the program early, for example on ^C. */
  readonly signal?: AbortSignal;
  /** The longest time the program may take, in milliseconds (10 s). */
  readonly timeout?: number;
  /** What the program reads on its standard input. */
  readonly input?: string;
}

/** The last `count` lines of what a program wrote, for an error message. */
export function lastLines(text: string, count = 3): string {
  return text.trim().split("\n").slice(-count).join(" | ");
}

/**
 * Runs a program to its end and returns what it wrote to standard output.
 *
 * @throws {Error} if it does not end with status 0 in time; the message holds
 * the last lines it wrote
 * @throws the reason of `options.signal` if that ended it
 */
export async function run(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const [program = "", ...args] = argv;
  const { signal, timeout = 10_000, input } = options;
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(timeout);
  const child = new Deno.Command(program, {
    args,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { success, code, stdout, stderr } = await child.output();
  signal?.throwIfAborted();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout);
  if (success) return output;
  const how = limit.aborted ? `no end after ${timeout} ms` : `status ${code}`;
  const said = lastLines(decoder.decode(stderr)) || lastLines(output);
  throw new Error(`Cannot run ${argv.join(" ")}: ${how}: ${said}`);
}

/** Milliseconds a daemon has to end after SIGTERM before SIGKILL. */
const GRACE_MS = 3000;

/** A program that runs in the background until it is disposed of. */
export class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #finished: Promise<unknown>;
  #ended = false;
  #tail = "";

  /** Starts the program. */
  constructor(argv: readonly string[]) {
    const [program = "", ...args] = argv;
    this.#child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const exit = this.#child.status.then(() => this.#ended = true);
    this.#finished = Promise.all([
      exit,
      this.#follow(this.#child.stdout),
      this.#follow(this.#child.stderr),
    ]);
  }

  /** The process id. `ip netns exec` keeps it: it execs the program. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Whether the program has come to its end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The last that the program wrote, until now. */
  get tail(): string {
    return this.#tail;
  }

  /** The last lines that the program wrote. */
  get lastWords(): string {
    return lastLines(this.#tail);
  }

  /** Resolves when the program has ended and all its output was read. */
  async output(): Promise<string> {
    await this.#finished;
    return this.#tail;
  }

  /** Ends the program, by force if it does not heed SIGTERM. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill("SIGTERM");
    const force = setTimeout(() => this.#kill("SIGKILL"), GRACE_MS);
    await this.#finished;
    clearTimeout(force);
  }

  #kill(signal: Deno.Signal): void {
    if (this.#ended) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended a moment ago and its status is still on the way.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Reads all output, so that the program never waits for its reader. */
  async #follow(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#tail = (this.#tail + text).slice(-4096);
    }
  }
}
