/**
 * What the command line of a program comes to.
 *
 * @module
 */
import { parseArguments } from "./arguments.ts";
import { OptionFault, SyntaxFault } from "./fault.ts";
import { helpText } from "./help.ts";
import type { OptionTable, OptionValues } from "./option.ts";
import { type Runtime, versionText } from "./version.ts";

/** Options that a program can run with. */
export interface Settled<O> {
  readonly options: O;
  /** What an operator should know of them; to be logged as warnings. */
  readonly warnings: readonly string[];
}

/** Notes what an operator should know. */
export type Warn = (text: string) => void;

/** A program by its options. */
export interface Program<T extends OptionTable, O> {
  readonly name: string;
  readonly table: T;
  /**
   * Checks values against each other.
   *
   * @throws {SyntaxFault | OptionFault} if they do not go together
   */
  readonly settle: (values: OptionValues<T>) => Settled<O>;
}

/** What to do with a command line. */
export type CommandLine<O> =
  | ({ readonly kind: "run" } & Settled<O>)
  /** Help or version: to standard output, exit status 0. */
  | { readonly kind: "print"; readonly text: string }
  | {
    readonly kind: "error";
    readonly stderr: string;
    readonly stdout: string;
    /** Exit status. */
    readonly status: 255;
  };

/**
 * Reads the arguments of a program; touches nothing outside.
 *
 * @param argv Without the name of the program
 */
export function readCommandLine<T extends OptionTable, O>(
  program: Program<T, O>,
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<O> {
  const { name, table } = program;
  try {
    const parsed = parseArguments(table, argv);
    switch (parsed.kind) {
      case "help":
        return { kind: "print", text: helpText(name, table) };
      case "version":
        return { kind: "print", text: versionText(name, runtime) };
      case "values":
        return { kind: "run", ...program.settle(parsed.values) };
    }
  } catch (error) {
    if (error instanceof SyntaxFault) {
      const usage = helpText(name, table);
      return faulty(error, usage);
    }
    if (error instanceof OptionFault) return faulty(error, "");
    throw error;
  }
}

function faulty(fault: Error, stdout: string): CommandLine<never> {
  return { kind: "error", stderr: `${fault.message}\n`, stdout, status: 255 };
}
