/**
 * Command lines, as tests read them.
 *
 * @module
 */
import { strict as assert } from "node:assert";
import {
  type AnytunOptions,
  readAnytunCommandLine,
} from "../../src/config/anytun.ts";
import type { CommandLine } from "../../src/config/command_line.ts";
import { type FakeFile, fakeHostFiles } from "../fakes/host_files.ts";

/** What programs say that they run on. */
export const RUNTIME = { deno: "2.9.6", v8: "15.0" };

/** A line of anytun, in the foreground and with a passphrase. */
export function readAnytun(
  argv: readonly string[],
  files: Readonly<Record<string, FakeFile>> = {},
): CommandLine<AnytunOptions> {
  const line = ["-D", "-E", "secret", ...argv];
  return readAnytunCommandLine(line, RUNTIME, fakeHostFiles(files));
}

/** What a program runs with whose line is right. */
export function runOf<O>(
  line: CommandLine<O>,
): Extract<CommandLine<O>, { readonly kind: "run" }> {
  assert.equal(line.kind, "run", JSON.stringify(line));
  return line;
}

/** What is printed about a line that is not. */
export function faultOf(line: CommandLine<unknown>): string {
  assert.equal(line.kind, "error", JSON.stringify(line));
  return line.stderr;
}
