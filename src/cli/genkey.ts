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
import { reasonOf } from "../log/reason.ts";
import { CHAIN_KEY_BYTES, epochAt } from "../satp/key_chain.ts";
import { formatChainFile } from "../satp/key_chain_file.ts";
import { keyBytes, SALT_BYTES } from "../satp/params.ts";
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
  const secrets = {
    key: randomHex(keyBytes(kdPrf)),
    salt: randomHex(SALT_BYTES),
  };
  if (files !== undefined) return void writeSecrets(libc, files, secrets);
  printTo(Deno.stdout, `key ${secrets.key}\nsalt ${secrets.salt}\n`);
}

/** It begins with the present epoch: nothing older is ever needed. */
function makeChain(
  libc: ProcessLibc,
  { interval, chainFile }: ChainOptions,
): void {
  const bytes = formatChainFile({
    interval,
    epoch: epochAt(Date.now() / 1000, interval),
    key: crypto.getRandomValues(new Uint8Array(CHAIN_KEY_BYTES)),
  });
  if (chainFile === undefined) {
    printTo(Deno.stdout, new TextDecoder().decode(bytes));
    return;
  }
  try {
    createFile(libc, chainFile, bytes, MODE);
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

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
