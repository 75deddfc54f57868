/**
 * The options of the program `anytun-showtables` as a whole. The original has
 * none, and ignores its arguments.
 *
 * @module
 */
import { type HostAndPort, hostAndPort } from "./cluster.ts";
import {
  type CommandLine,
  readCommandLine,
  type Settled,
} from "./command_line.ts";
import { showtablesTable, type ShowtablesValues } from "./table.ts";
import type { Runtime } from "./version.ts";

/** Validated options of `anytun-showtables`. */
export interface ShowtablesOptions {
  /** The server to ask; without one it is standard input. */
  readonly server: HostAndPort | undefined;
  /** Whether to stay for what changes. */
  readonly watch: boolean;
  /** Whether each record is to be a line of JSON. */
  readonly json: boolean;
}

/**
 * Reads the arguments of `anytun-showtables`; touches nothing outside.
 *
 * @param argv Without the name of the program
 */
export function readShowtablesCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<ShowtablesOptions> {
  const name = "anytun-showtables";
  const program = { name, table: showtablesTable, settle };
  return readCommandLine(program, argv, runtime);
}

function settle(
  { connect, watch, json }: ShowtablesValues,
): Settled<ShowtablesOptions> {
  const server = connect && hostAndPort("--connect", connect);
  return { options: { server, watch, json }, warnings: [] };
}
