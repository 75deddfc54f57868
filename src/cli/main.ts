/**
 * Entry of every program of this binary. The name that it was called by
 * decides which one it is, and so does a first word: `anytun genkey` is
 * `anytun-genkey`.
 *
 * @module
 */
import { readArguments } from "../../ffi/process/file.ts";
import { keepInspectorShut } from "../../ffi/process/inspector.ts";
import { openProcessLibc, type ProcessLibc } from "../../ffi/process/libc.ts";
import type { ProgramName } from "../config/programs.ts";
import { reasonOf } from "../log/reason.ts";
import { anytun } from "./anytun.ts";
import { config } from "./config.ts";
import { controld } from "./controld.ts";
import { genkey } from "./genkey.ts";
import { printTo } from "./print.ts";
import { chooseProgram } from "./program.ts";
import { showtables } from "./showtables.ts";

/** A program: takes its arguments, gives its exit status. */
type Program = (
  argv: readonly string[],
  libc: ProcessLibc,
) => number | Promise<number>;

const PROGRAMS: Readonly<Record<ProgramName, Program>> = {
  anytun,
  "anytun-config": config,
  "anytun-controld": controld,
  "anytun-genkey": genkey,
  "anytun-showtables": showtables,
};

/**
 * Runs the program that the name or the first word asks for.
 *
 * @param calledAs Name of the program as it was called, with or without a path
 * @param argv Arguments without the program's name
 * @returns The exit status
 */
export async function main(
  calledAs: string,
  argv: readonly string[],
): Promise<number> {
  const libc = openProcessLibc();
  keepInspectorShut(libc);
  const { name, rest } = chooseProgram(calledAs, argv);
  return await PROGRAMS[name](rest, libc);
}

/** Reports what no program has caught, without a stack trace. */
async function mainOrReport(): Promise<number> {
  try {
    const libc = openProcessLibc();
    const calledAs = readArguments(libc)[0] ?? "anytun";
    libc.close();
    return await main(calledAs, Deno.args);
  } catch (error) {
    printTo(Deno.stderr, `anytun: ${reasonOf(error)}\n`);
    return 255;
  }
}

if (import.meta.main) Deno.exit(await mainOrReport());
