/**
 * The options of `anytun genkey`.
 *
 * @module
 */
import type { KdPrfName } from "../satp/params.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { generalRows, toolExitSection } from "./general.ts";
import { kdPrfRow } from "./keys.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/** The options of `anytun genkey`. */
export const genkeyTable = { ...generalRows, kdPrf: kdPrfRow };

/** Validated options of `anytun genkey`. */
export interface GenkeyOptions {
  /** What the key is for, which tells its length. */
  readonly kdPrf: Exclude<KdPrfName, "null">;
}

/**
 * Reads the arguments of `anytun genkey`; touches nothing outside.
 *
 * @param argv Without the name of the program
 */
export function readGenkeyCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<GenkeyOptions> {
  return readCommandLine(
    {
      name: "anytun-genkey",
      table: genkeyTable,
      sections: [toolExitSection],
      settle,
    },
    argv,
    runtime,
  );
}

function settle(
  { values: { kdPrf }, names }: Settings<typeof genkeyTable>,
): GenkeyOptions {
  if (kdPrf === "null") {
    throw new OptionFault(
      `Cannot make a key: ${names.kdPrf} is null, which has none`,
    );
  }
  return { kdPrf };
}
