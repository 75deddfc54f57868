/**
 * The program `anytun genkey`: prints a fresh key and salt, as the lines that
 * a configuration of Debian's packages takes (CLI section 9).
 *
 * @module
 */
import { readGenkeyCommandLine } from "../config/genkey.ts";
import { keyBytes, SALT_BYTES } from "../satp/params.ts";
import { printCommandLine, printTo } from "./print.ts";

/**
 * Runs the program.
 *
 * @param argv Arguments without the program's name
 * @returns The exit status
 */
export function genkey(argv: readonly string[]): number {
  const commandLine = readGenkeyCommandLine(argv, Deno.version);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const key = randomHex(keyBytes(commandLine.options.kdPrf));
  const salt = randomHex(SALT_BYTES);
  printTo(Deno.stdout, `key ${key}\nsalt ${salt}\n`);
  return 0;
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
