// The program `anytun genkey`: a new key and salt (CLI section 9), or a new
// key chain (docs/key-chains.md).
import { createFile } from "../../ffi/process/new_file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  type ChainOptions,
  type KeyFiles,
  type PairOptions,
  readGenkeyCommandLine,
} from "../config/genkey.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { newChain } from "../daemon/chain_text.ts";
import { madeSecrets } from "../daemon/new_secrets.ts";
import { reasonOf } from "../log/reason.ts";
import { printCommandLine, printTo } from "./print.ts";

/** For nobody but the owner. */
const MODE = 0o600;

interface HexSecrets {
  readonly key: string;
  readonly salt: string;
}

export function genkey(argv: readonly string[], libc: ProcessLibc): number {
  const commandLine = readGenkeyCommandLine(argv, Deno.version);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options } = commandLine;
  try {
    if ("interval" in options) makeChain(libc, options);
    else makePair(libc, options);
    return 0;
  } catch (error) {
    printTo(Deno.stderr, `anytun-genkey: ${reasonOf(error)}\n`);
    return EXIT_FAILED;
  }
}

function makePair(libc: ProcessLibc, { kdPrf, files }: PairOptions): void {
  const made = madeSecrets(kdPrf);
  const secrets = { key: made.key.toHex(), salt: made.salt.toHex() };
  if (files !== undefined) return void writeSecrets(libc, files, secrets);
  printTo(Deno.stdout, `key ${secrets.key}\nsalt ${secrets.salt}\n`);
}

function makeChain(
  libc: ProcessLibc,
  { interval, chainFile }: ChainOptions,
): void {
  const text = newChain(interval, Date.now() / 1000);
  if (chainFile === undefined) return printTo(Deno.stdout, text);
  try {
    createFile(libc, chainFile, new TextEncoder().encode(text), MODE);
  } catch (cause) {
    throw new Error(`${reasonOf(cause)} (--chain-file)`, { cause });
  }
}

/**
 * Makes both files, or none.
 * @throws {Error} that names the file and its option
 */
export function writeSecrets(
  libc: ProcessLibc,
  files: KeyFiles,
  secrets: HexSecrets,
): void {
  const write = (name: "key" | "salt") => {
    const bytes = new TextEncoder().encode(`${secrets[name]}\n`);
    try {
      return createFile(libc, files[name], bytes, MODE);
    } catch (cause) {
      throw new Error(`${reasonOf(cause)} (--${name}-file)`, { cause });
    }
  };
  const key = write("key");
  try {
    write("salt");
  } catch (error) {
    key.remove();
    throw error;
  }
}
