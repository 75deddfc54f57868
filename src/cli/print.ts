// Output for those who have called a program.
import type { CommandLine } from "../config/command_line.ts";

export function printTo(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
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
