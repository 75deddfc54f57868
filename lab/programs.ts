/** This program, in all the ways to start it. */
import { isFile } from "./missing.ts";

/** A way to run this program. */
export interface OurProgram {
  readonly name: string;
  /** Tells labs apart, in one letter. */
  readonly letter: string;
  /** What is run, before the arguments. */
  readonly command: readonly string[];
  /** Why it can't be run here, or null if it can. */
  readonly missing: string | null;
}

const ROOT = new URL("../", import.meta.url).pathname;
const BINARY = `${ROOT}dist/anytun`;

// Many start at once: Deno's common file of compiled code has broken then, and
// those that read it ended in a panic.
const NO_CODE_CACHE = "--no-code-cache";

function source(...permissions: readonly string[]): string[] {
  const run = ["run", "--quiet", "--no-prompt", "--cached-only", NO_CODE_CACHE];
  const always = ["--allow-net", "--allow-ffi"];
  return [Deno.execPath(), ...run, ...always, ...permissions];
}

const MAIN = `${ROOT}src/cli/main.ts`;

/** Run from its source; to load its workers it reads that. */
export const fromSource: OurProgram = {
  name: "from source",
  letter: "s",
  command: [...source(`--allow-read=${ROOT}`), MAIN],
  missing: null,
};

/** Run as the README says first: it loads no workers, for want of a right. */
export const withoutWorkers: OurProgram = {
  name: "from source without workers",
  letter: "p",
  command: [...source(), MAIN],
  missing: null,
};

/**
 * As {@link fromSource}, with clocks that run ten times as fast.
 *
 * @param origin Since when, in ms since 1970
 */
export function fastClock(origin: number): OurProgram {
  const script = `${ROOT}lab/scripts/fast_clock.ts`;
  const command = [...source(`--allow-read=${ROOT}`), script, String(origin)];
  return { ...fromSource, name: "with fast clocks", command };
}

/**
 * As {@link fromSource}, with a clock that jumps at each SIGWINCH.
 *
 * @param jumps By how many seconds, one after the other
 */
export function jumpingClock(...jumps: readonly number[]): OurProgram {
  const script = `${ROOT}lab/scripts/jumping_clock.ts`;
  const command = [...source(`--allow-read=${ROOT}`), script, jumps.join()];
  return { ...fromSource, name: "with a clock that jumps", command };
}

/** As one file, made by `deno compile`. */
export const asBinary: OurProgram = {
  name: "as binary",
  letter: "b",
  command: [BINARY],
  missing: isFile(BINARY) ? null : "dist/anytun is not built",
};

/** As users start it: its code is not compiled anew each time. */
export function asUsersStart(program: OurProgram): OurProgram {
  const isKept = (word: string) => word !== NO_CODE_CACHE;
  return { ...program, command: program.command.filter(isKept) };
}

/** The ways that have the native plane. */
export const OUR_PROGRAMS = [fromSource, asBinary];
