// Output for those who have called a program.
import type { CommandLine } from "../config/command_line.ts";
import { type ByteStream, LineStream } from "../log/line_stream.ts";

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
