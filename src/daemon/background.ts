/**
 * Going to the background (CLI section 4). A threaded runtime cannot fork: the
 * program starts itself once more, leaves to that process what it has read -
 * the options, secrets among them, in a file without a name - and waits until
 * it hears whether the start has succeeded.
 *
 * @module
 */
import { deserialize, serialize } from "node:v8";
import { closeOnExec } from "../../ffi/descriptors.ts";
import { readArguments, writeDescriptor } from "../../ffi/file.ts";
import {
  memoryFile,
  openPipe,
  takeAll,
  takeLines,
} from "../../ffi/handover.ts";
import { setProcessName, setUmask } from "../../ffi/process.ts";
import type { ProcessLibc } from "../../ffi/process_libc.ts";
import { spawn } from "../../ffi/spawn.ts";
import type { Launcher } from "./launcher.ts";

/** Says to a process that it finds options and launcher as below. */
const MARK = "ANYTUN_HANDOVER";
/** Descriptors of the process in the background. */
const OPTIONS_FD = 3;
const LAUNCHER_FD = 4;

/** Nobody but the owner may write what the daemon makes. */
const UMASK = 0o022;

/** Said by a process that is ready; other lines are for people. */
const READY = "ready";

/** What the process in the background is to do. */
export interface Handover<O> {
  readonly options: O;
  readonly warnings: readonly string[];
}

/**
 * Starts this program once more, in the background, and waits until it is
 * ready or has failed. Whoever ends the waiting does not end that process.
 *
 * @param say Passes on a line about the start
 * @returns Whether it is ready
 * @throws if it cannot be started
 */
export function startInBackground<O>(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  handover: Handover<O>,
  say: (line: string) => void,
): boolean {
  const answer = openPipe(libc);
  try {
    spawnWith(libc, environment, handover, answer.writeEnd);
  } finally {
    libc.symbols.close(answer.writeEnd);
  }
  let said = false;
  for (const line of takeLines(libc, answer.readEnd)) {
    if (line === READY) return true;
    say(line);
    said = true;
  }
  if (!said) say("the daemon has ended before it was ready, without a word");
  return false;
}

function spawnWith<O>(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  handover: Handover<O>,
  launcherFd: number,
): void {
  const bytes = new Uint8Array(serialize(handover));
  const optionsFd = memoryFile(libc, bytes);
  bytes.fill(0);
  const variables = new Map([...environment, [MARK, "1"]]);
  try {
    spawn(libc, {
      path: "/proc/self/exe",
      // As /proc shows them: secrets are overwritten there by now.
      argv: readArguments(libc),
      env: Array.from(variables, ([name, value]) => `${name}=${value}`),
      newSession: true,
      descriptors: [optionsFd, launcherFd],
    });
  } finally {
    libc.symbols.close(optionsFd);
  }
}

/** What a process in the background has been left. */
export interface Inheritance<O> extends Handover<O> {
  readonly launcher: Launcher;
}

/**
 * Takes over what {@linkcode startInBackground} left in another process of the
 * same program.
 *
 * @param program Its name, for `ps`
 * @returns undefined if this process was started by somebody else
 * @throws if there is nothing to take over
 */
export function takeHandover<O>(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  program: string,
): Inheritance<O> | undefined {
  if (!environment.has(MARK)) return undefined;
  setProcessName(libc, program);
  setUmask(libc, UMASK);
  const bytes = takeAll(libc, OPTIONS_FD);
  // What comes out of it may be views of what went in.
  const handover: Handover<O> = structuredClone(deserialize(bytes));
  bytes.fill(0);
  closeOnExec(libc, LAUNCHER_FD);
  return { ...handover, launcher: pipeLauncher(libc, LAUNCHER_FD) };
}

/** The process in the foreground, which waits at the other end of a pipe. */
function pipeLauncher(libc: ProcessLibc, fd: number): Launcher {
  let open = true;
  const close = (): void => {
    if (open) libc.symbols.close(fd);
    open = false;
  };
  const say = (line: string): void => {
    if (!open) return;
    try {
      const bytes = new TextEncoder().encode(`${line}\n`);
      writeDescriptor(libc, fd, "launcher", bytes);
    } catch {
      // It has not waited: whoever ended it does not want to know.
      close();
    }
  };
  return {
    changed(phase) {
      if (phase.kind !== "ready") return;
      say(READY);
      close();
    },
    say,
    failed(text) {
      say(text);
      close();
    },
  };
}
