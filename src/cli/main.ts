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
import { readEnvironment } from "../../ffi/process/process.ts";
import type { ProgramName } from "../config/programs.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { GUARD_VARIABLE } from "../daemon/guard_setup.ts";
import { reasonOf } from "../log/reason.ts";
import { printTo } from "./print.ts";
import { chooseProgram } from "./program.ts";

/** A program: takes its arguments, gives its exit status. */
type Program = (
  argv: readonly string[],
  libc: ProcessLibc,
) => number | Promise<number>;

/** Each is loaded only where it is meant: that takes longer than most run. */
const PROGRAMS: Readonly<Record<ProgramName, () => Promise<Program>>> = {
  anytun: async () => (await import("./anytun.ts")).anytun,
  "anytun-check": async () => (await import("./check.ts")).check,
  "anytun-config": async () => (await import("./config.ts")).config,
  "anytun-controld": async () => (await import("./controld.ts")).controld,
  "anytun-fleet": async () => (await import("./fleet.ts")).fleet,
  "anytun-drain": async () => (await import("./drain.ts")).drain,
  "anytun-genkey": async () => (await import("./genkey.ts")).genkey,
  "anytun-health": async () => (await import("./health.ts")).health,
  "anytun-status": async () => (await import("./status.ts")).status,
  "anytun-show-config": async () =>
    (await import("./show_config.ts")).showConfig,
  "anytun-showtables": async () => (await import("./showtables.ts")).showtables,
  "anytun-undrain": async () => (await import("./drain.ts")).undrain,
  "anytun-withdraw": async () => (await import("./withdraw.ts")).withdraw,
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
  const guard = readEnvironment(libc).get(GUARD_VARIABLE);
  if (guard !== undefined) {
    return (await import("../daemon/guard_process.ts")).runGuard(libc, guard);
  }
  const { name, rest } = chooseProgram(calledAs, argv);
  const program = await PROGRAMS[name]();
  return await program(rest, libc);
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
    return EXIT_FAILED;
  }
}

if (import.meta.main) Deno.exit(await mainOrReport());
