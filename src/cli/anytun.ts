/**
 * The program `anytun`.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import { readAnytunCommandLine } from "../config/anytun.ts";
import { runAnytun } from "../daemon/anytun.ts";
import { systemWorld } from "../daemon/system_world.ts";

/**
 * Runs the program until it is told to end.
 *
 * @param argv Arguments without the program's name
 * @returns The exit status
 */
export async function anytun(
  argv: readonly string[],
  libc: Libc,
): Promise<number> {
  const commandLine = readAnytunCommandLine(argv, Deno.version);
  switch (commandLine.kind) {
    case "print":
      print(Deno.stdout, commandLine.text);
      return 0;
    case "error":
      print(Deno.stderr, commandLine.stderr);
      print(Deno.stdout, commandLine.stdout);
      return commandLine.status;
    case "run": {
      const { options, warnings } = commandLine;
      return await runAnytun(options, warnings, systemWorld(libc));
    }
  }
}

function print(stream: typeof Deno.stdout, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
}
