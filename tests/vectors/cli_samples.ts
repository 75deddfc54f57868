import { loadVectors } from "./vectors.ts";

/** A command line of an original, and how it ended. */
export interface CliSample {
  readonly program: string;
  readonly argv: readonly string[];
  /** The exit status; null for an abort. */
  readonly exit: number | null | "keeps running";
  /** Whether the streams got text. */
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Column of the `^` below a syntax error. */
  readonly caret: number | null;
}

/** What was recorded of the originals. */
export interface CliVectors {
  /** Names of each program's options. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  readonly samples: readonly CliSample[];
}

/** Reads the recorded command lines. */
export function loadCliVectors(): CliVectors {
  return loadVectors<CliVectors>("cli.json");
}

/** The arguments as one line. */
export function lineOf({ argv }: CliSample): string {
  return argv.map((argument) => argument === "" ? "''" : argument).join(" ");
}
