// Command lines: from arguments to options, texts and faults.
import { readArguments } from "./arguments.ts";
import { OptionFault, SyntaxFault } from "./fault.ts";
import { type HelpSection, helpText } from "./help.ts";
import type { OptionTable } from "./option.ts";
import { callOf, type ProgramName } from "./programs.ts";
import { type InForce, type Reading, readingOf } from "./reading.ts";
import type { SecretFiles } from "./secret_files.ts";
import { type Settings, settingsOf } from "./values.ts";
import { type Runtime, versionText } from "./version.ts";

export type Warn = (text: string) => void;

export interface Surroundings {
  readonly runtime: Runtime;
  readonly files: SecretFiles;
  readonly warn: Warn;
}

export interface Program<T extends OptionTable, O> {
  readonly name: ProgramName;
  readonly table: T;
  readonly sections: readonly HelpSection[];
  /**
   * Checks values against each other.
   * @throws {SyntaxFault | OptionFault} if they do not go together
   */
  readonly settle: (settings: Settings<T>, warn: Warn) => O;
}

export type CommandLine<O> =
  | { readonly kind: "run" } & Reading<O>
  /** Help or version: to standard output, exit status 0. */
  | { readonly kind: "print"; readonly text: string }
  /** To standard error; standard output is for those who use a result. */
  | {
    readonly kind: "error";
    readonly stderr: string;
    readonly status: 255;
  };

/**
 * Reads the arguments of a program; touches nothing outside.
 * @param inForce While it runs
 */
export function readCommandLine<T extends OptionTable, O>(
  program: Program<T, O>,
  argv: readonly string[],
  runtime: Runtime,
  inForce?: InForce,
): CommandLine<O> {
  const { name, table, sections, settle } = program;
  try {
    const read = readArguments(table, argv);
    switch (read.kind) {
      case "help":
        return { kind: "print", text: helpText(name, table, sections) };
      case "version":
        return { kind: "print", text: versionText(name, runtime) };
      case "values": {
        const settings = settingsOf(table, [read.given]);
        const reading = readingOf(table, settings, settle, inForce);
        return { kind: "run", ...reading };
      }
    }
  } catch (error) {
    if (error instanceof SyntaxFault) {
      return faulty(`${error.message}\nsee ${callOf(name)} --help\n`);
    }
    if (error instanceof OptionFault) return faulty(`${error.message}\n`);
    throw error;
  }
}

function faulty(stderr: string): CommandLine<never> {
  return { kind: "error", stderr, status: 255 };
}
