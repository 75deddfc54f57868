/**
 * Going to the background (CLI section 4). A threaded runtime cannot fork: the
 * program starts itself once more, leaves to that process what it has read -
 * the options, secrets among them, in a file without a name - and waits until
 * it hears whether the start has succeeded.
 *
 * @module
 */
import { deserialize, serialize } from "node:v8";
import { readArguments, writeDescriptor } from "../../ffi/file.ts";
import { memoryFile, openPipe, takeAll } from "../../ffi/handover.ts";
import { setProcessName, setUmask } from "../../ffi/process.ts";
import type { ProcessLibc } from "../../ffi/process_libc.ts";
import { spawn } from "../../ffi/spawn.ts";
import type { AnytunOptions } from "../config/anytun_options.ts";
import { type Launcher, READY } from "./launcher.ts";

/** Says to a process that it finds options and launcher as below. */
const MARK = "ANYTUN_HANDOVER";
/** Descriptors of the process in the background. */
const OPTIONS_FD = 3;
const LAUNCHER_FD = 4;

/** Nobody but the owner may write what the daemon makes. */
const UMASK = 0o022;

/** What the process in the background is to do. */
export interface Handover {
  readonly options: AnytunOptions;
  readonly warnings: readonly string[];
}

/**
 * Starts this program once more, in the background, and waits until it is
 * ready or has failed.
 *
 * @returns What went wrong, or undefined if it is ready
 * @throws if it cannot be started
 */
export function startInBackground(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  handover: Handover,
): string | undefined {
  const bytes = new Uint8Array(serialize(handover));
  const optionsFd = memoryFile(libc, bytes);
  bytes.fill(0);
  const answer = openPipe(libc);
  const variables = new Map([...environment, [MARK, "1"]]);
  try {
    spawn(libc, {
      path: "/proc/self/exe",
      // As /proc shows them: secrets are overwritten there by now.
      argv: readArguments(libc),
      env: Array.from(variables, ([name, value]) => `${name}=${value}`),
      newSession: true,
      descriptors: [optionsFd, answer.writeEnd],
    });
  } finally {
    libc.symbols.close(optionsFd);
    libc.symbols.close(answer.writeEnd);
  }
  const text = new TextDecoder().decode(takeAll(libc, answer.readEnd));
  if (text === READY) return undefined;
  return text === ""
    ? "anytun: the daemon has ended before it was ready, without a word"
    : text;
}

/** What a process in the background has been left. */
export interface Inheritance extends Handover {
  readonly launcher: Launcher;
}

/**
 * Takes over what {@linkcode startInBackground} left in another process.
 *
 * @returns undefined if this process was started by somebody else
 * @throws if there is nothing to take over
 */
export function takeHandover(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
): Inheritance | undefined {
  if (!environment.has(MARK)) return undefined;
  setProcessName(libc, "anytun");
  setUmask(libc, UMASK);
  const bytes = takeAll(libc, OPTIONS_FD);
  // What comes out of it may be views of what went in.
  const handover: Handover = structuredClone(deserialize(bytes));
  bytes.fill(0);
  return { ...handover, launcher: pipeLauncher(libc, LAUNCHER_FD) };
}

/** The process in the foreground, which waits at the other end of a pipe. */
function pipeLauncher(libc: ProcessLibc, fd: number): Launcher {
  let open = true;
  const answer = (text: string): void => {
    if (!open) return;
    open = false;
    try {
      writeDescriptor(libc, fd, "launcher", new TextEncoder().encode(text));
    } catch {
      // It has not waited: whoever ended it does not want to know.
    } finally {
      libc.symbols.close(fd);
    }
  };
  return { ready: () => answer(READY), failed: (text) => answer(text) };
}
