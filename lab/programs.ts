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

const MAIN = new URL("../src/cli/main.ts", import.meta.url).pathname;
const BINARY = new URL("../dist/anytun", import.meta.url).pathname;
const ROOT = new URL("../", import.meta.url).pathname;

/** Run from its source; to load its workers it reads that. */
export const fromSource: OurProgram = {
  name: "from source",
  letter: "s",
  command: [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt", "--cached-only"],
    ...["--allow-net", "--allow-ffi", `--allow-read=${ROOT}`, MAIN],
  ],
  missing: null,
};

/** As one file, made by `deno compile`. */
export const asBinary: OurProgram = {
  name: "as binary",
  letter: "b",
  command: [BINARY],
  missing: isFile(BINARY) ? null : "dist/anytun is not built",
};

/** Both ways. */
export const OUR_PROGRAMS = [fromSource, asBinary];
