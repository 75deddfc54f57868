// Start in the background (CLI section 4).
import { closeOnExec } from "../../ffi/process/descriptors.ts";
import { readArguments, writeDescriptor } from "../../ffi/process/file.ts";
import {
  LineReader,
  memoryFile,
  openPipe,
  takeAll,
} from "../../ffi/process/handover.ts";
import { setProcessName, setUmask } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { endChild, spawn, waitForEnd } from "../../ffi/process/spawn.ts";
import type { Reading } from "../config/reading.ts";
import { EXIT_FAILED, EXIT_OK } from "../config/exit_status.ts";
import type { Parent } from "./parent.ts";
import type { World } from "./world.ts";

/** Set in the environment of a process that takes over what is below. */
const HANDOVER_VARIABLE = "ANYTUN_HANDOVER";
const OPTIONS_FD = 3;
const PARENT_FD = 4;

const UMASK = 0o022;

/** First word of each line that the child writes. */
type Word = "ready" | "waiting" | "say";

/** Signals that end the wait, and the child with it. */
const INTERRUPTIONS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** What a shell adds to the number of a signal. */
const EXIT_SIGNAL = 128;

/** The longest wait of poll(2), in ms. */
const LONGEST_MS = 2 ** 31 - 1;

export interface Handover<O> {
  readonly reading: Reading<O>;
  /** As people gave them: in the child's own ones, secrets are hidden. */
  readonly argv: readonly string[];
  /** What was read of it, which cannot be read twice. */
  readonly standardInput: Uint8Array | undefined;
  readonly hasConfinedFiles: boolean;
}

interface BackgroundWait {
  readonly name: string;
  /** Seconds; 0 for no limit. */
  readonly startTimeout: number;
  readonly say: (line: string) => void;
  readonly world: Pick<World, "elapsed" | "onSignal">;
}

/**
 * A threaded runtime cannot fork. The program starts itself once more, leaves
 * its options, secrets among them, in a file without a name, and waits until
 * the child is ready or has failed; one that takes too long goes on by itself.
 * @throws if it cannot be started
 */
export async function startInBackground<O>(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  handover: Handover<O>,
  wait: BackgroundWait,
): Promise<number> {
  const { onSignal } = wait.world;
  using cleanup = new DisposableStack();
  const answer = openPipe(libc);
  const lines = cleanup.use(new LineReader(libc, answer.readEnd));
  let child: Child | undefined;
  for (const [name, number] of Object.entries(INTERRUPTIONS)) {
    const interrupt = () => child?.interrupt(number);
    cleanup.defer(onSignal(name as keyof typeof INTERRUPTIONS, interrupt));
  }
  try {
    const { writeEnd } = answer;
    child = new Child(
      libc,
      await spawnWith(libc, environment, handover, writeEnd),
    );
  } finally {
    libc.symbols.close(answer.writeEnd);
  }
  const status = await untilReady(lines, child, wait);
  return await child.interrupted() ?? status;
}

class Child {
  readonly #libc: ProcessLibc;
  readonly #pid: number;
  #signal: number | undefined;

  constructor(libc: ProcessLibc, pid: number) {
    this.#libc = libc;
    this.#pid = pid;
  }

  /** @param signal Number of the one received; a second one kills */
  interrupt(signal: number): void {
    endChild(this.#libc, this.#pid, this.#signal !== undefined);
    this.#signal ??= signal;
  }

  get isInterrupted(): boolean {
    return this.#signal !== undefined;
  }

  async interrupted(): Promise<number | undefined> {
    if (this.#signal === undefined) return undefined;
    await waitForEnd(this.#libc, this.#pid);
    return EXIT_SIGNAL + this.#signal;
  }
}

/** @returns The exit status, unless the wait was interrupted */
async function untilReady(
  lines: LineReader,
  child: Child,
  { name, startTimeout, say, world }: BackgroundWait,
): Promise<number> {
  const timeout = startTimeout === 0 ? Infinity : startTimeout * 1000;
  const deadline = world.elapsed() + timeout;
  let what = "its runtime";
  let hasSaid = false;
  for (;;) {
    const left = Math.max(0, Math.ceil(deadline - world.elapsed()));
    const some = await lines.read(Math.min(left, LONGEST_MS));
    if (some === undefined || child.isInterrupted) break;
    for (const [word, text] of some.map(wordAndText)) {
      if (word === "ready") return EXIT_OK;
      if (word === "waiting") what = text;
      if (word === "say") say(text);
      hasSaid ||= word === "say";
    }
    if (some.length > 0 || left > 0) continue;
    say(
      `${name}: not ready after ${startTimeout} s (--start-timeout), ` +
        `waiting for ${what}: it goes on in the background`,
    );
    return EXIT_OK;
  }
  if (!hasSaid && !child.isInterrupted) {
    say(
      `${name}: the daemon has ended before it was ready, and gave no reason`,
    );
  }
  return EXIT_FAILED;
}

function wordAndText(line: string): readonly [word: string, text: string] {
  const blank = line.indexOf(" ");
  return [line.slice(0, blank), line.slice(blank + 1)];
}

async function spawnWith<O>(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  handover: Handover<O>,
  parentFd: number,
): Promise<number> {
  const { serialize } = await import("node:v8");
  const bytes = new Uint8Array(serialize(handover));
  const optionsFd = memoryFile(libc, bytes);
  bytes.fill(0);
  const variables = new Map([...environment, [HANDOVER_VARIABLE, "1"]]);
  try {
    return spawn(libc, {
      path: "/proc/self/exe",
      // As /proc shows them: secrets are overwritten there by now.
      argv: readArguments(libc),
      env: Array.from(variables, ([name, value]) => `${name}=${value}`),
      newSession: true,
      descriptors: [optionsFd, parentFd],
    });
  } finally {
    libc.symbols.close(optionsFd);
  }
}

export interface Inheritance<O> extends Handover<O> {
  readonly parent: Parent;
}

/**
 * Takes over what {@linkcode startInBackground} has left.
 * @param program Name for `ps`
 * @returns undefined if this process is no child of the same program
 */
export async function takeHandover<O>(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  program: string,
): Promise<Inheritance<O> | undefined> {
  if (!environment.has(HANDOVER_VARIABLE)) return undefined;
  const { deserialize } = await import("node:v8");
  setProcessName(libc, program);
  setUmask(libc, UMASK);
  const bytes = takeAll(libc, OPTIONS_FD);
  // What comes out of it may be views of what went in.
  const handover: Handover<O> = structuredClone(deserialize(bytes));
  bytes.fill(0);
  closeOnExec(libc, PARENT_FD);
  return { ...handover, parent: pipeParent(libc, PARENT_FD, handover) };
}

function pipeParent(
  libc: ProcessLibc,
  fd: number,
  { hasConfinedFiles }: Pick<Parent, "hasConfinedFiles">,
): Parent {
  let open = true;
  const close = (): void => {
    if (open) libc.symbols.close(fd);
    open = false;
  };
  const send = (word: Word, text = ""): void => {
    if (!open) return;
    const lines = text.split("\n").map((line) => `${word} ${line}\n`).join("");
    try {
      const bytes = new TextEncoder().encode(lines);
      writeDescriptor(libc, fd, "parent", bytes);
    } catch {
      // It has not waited, or was killed.
      close();
    }
  };
  return {
    sharedStreams: [],
    hasConfinedFiles,
    changed(phase) {
      if (phase.kind === "starting") send("waiting", phase.what);
      if (phase.kind !== "ready") return;
      send("ready");
      close();
    },
    say: (text) => send("say", text),
    failed(text) {
      send("say", text);
      close();
    },
  };
}
