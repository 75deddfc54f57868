// Faults of command lines, and warnings, as people read them.
import { escapeControls } from "../log/line.ts";
import { codeOf } from "../log/reason.ts";

/** Of what can be used, but is hardly meant. */
export type Warn = (text: string) => void;

const SYNTAX_ERROR = "syntax error: ";

/** Arguments that cannot be read; reported together with a way to the help. */
export class SyntaxFault extends Error {
  /**
   * Makes the report of the original (CLI section 1), with a third line of
   * ours where it helps.
   * @param shown What is wrong; never a secret
   * @param offset Characters of it before the fault; undefined marks nothing
   * @param hint What would be right
   */
  constructor(shown: string, offset: number | undefined, hint?: string) {
    const caret = offset === undefined ? "" : " ".repeat(
      SYNTAX_ERROR.length + escapeControls(shown.slice(0, offset)).length,
    ) + "^";
    const lines = [SYNTAX_ERROR + escapeControls(shown), caret];
    if (hint !== undefined) lines.push(escapeControls(hint));
    super(lines.join("\n"));
    this.name = "SyntaxFault";
  }
}

/** Options that can be read, but not used together. */
export class OptionFault extends Error {
  /**
   * @param message Names the options, their values and what would be right
   * @param cause The error behind it, if there is one
   */
  constructor(message: string, cause?: unknown) {
    super(escapeControls(message), { cause });
    this.name = "OptionFault";
  }
}

/** A file that options name, and that is not there. */
export class MissingFile extends OptionFault {
  readonly code = "ENOENT";
}

const OUT_OF_REACH = ["EACCES", "ENOENT", "ENOTDIR", "EPERM"];

/** Whether a file is at fault that is missing, or may not be read. */
export function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isIt = OUT_OF_REACH.includes(codeOf(error) ?? "");
  return isIt || isOutOfReach(error.cause);
}

/**
 * What helps where a file of a daemon may not be read, to follow the reason.
 * @param how To let the user of the package's services read it
 */
export function remedyFor(error: unknown, how: string): string {
  return codeOf(error) === "EACCES"
    ? "; the user that the daemon runs as has to be able to read it: for a " +
      `service, ${how}`
    : "";
}
