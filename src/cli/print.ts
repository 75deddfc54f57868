// Output for those who have called a program.
import type { CommandLine } from "../config/command_line.ts";
import { type ByteStream, LineStream } from "../log/line_stream.ts";

/** Before what is shown anew, on a terminal. */
export const HOME_AND_CLEAR = "\x1b[H\x1b[2J";

export function printTo(stream: ByteStream, text: string): void {
  new LineStream(stream).write(new TextEncoder().encode(text));
}

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
