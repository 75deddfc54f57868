/**
 * Text for those who have called a program.
 *
 * @module
 */
import type { CommandLine } from "../config/command_line.ts";

/** Writes all of a text to a stream. */
export function printTo(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
}

/**
 * Prints what a command line comes to that does not run anything.
 *
 * @returns The exit status
 */
export function printCommandLine(
  commandLine: Exclude<CommandLine<unknown>, { kind: "run" }>,
): number {
  if (commandLine.kind === "print") {
    printTo(Deno.stdout, commandLine.text);
    return 0;
  }
  printTo(Deno.stderr, commandLine.stderr);
  return commandLine.status;
}
