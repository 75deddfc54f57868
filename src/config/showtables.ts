/**
 * The options of the program `anytun-showtables` as a whole. The original has
 * none, and ignores its arguments.
 *
 * @module
 */
import type { UnixSocket } from "../net/place.ts";
import { type HostAndPort, serverOf, warnOfTrust } from "./cluster.ts";
import {
  type CommandLine,
  readCommandLine,
  type Settled,
  type Warn,
} from "./command_line.ts";
import type { SecretFiles } from "./secret_files.ts";
import { type SyncTls, syncTlsOf } from "./sync_tls.ts";
import { showtablesTable, type ShowtablesValues } from "./table.ts";
import type { Runtime } from "./version.ts";

/** Validated options of `anytun-showtables`. */
export interface ShowtablesOptions {
  /** The server to ask; without one it is standard input. */
  readonly server: HostAndPort | UnixSocket | undefined;
  /** What protects the stream from the server. */
  readonly syncTls: SyncTls | undefined;
  /** Whether the server may be of every user of this host, over TCP. */
  readonly syncAnyUser: boolean;
  /** Whether to stay for what changes. */
  readonly watch: boolean;
  /** Whether each record is to be a line of JSON. */
  readonly json: boolean;
}

/**
 * Reads the arguments of `anytun-showtables`; touches nothing outside but the
 * files of certificates and their key.
 *
 * @param argv Without the name of the program
 */
export function readShowtablesCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: SecretFiles,
): CommandLine<ShowtablesOptions> {
  const program = {
    name: "anytun-showtables",
    table: showtablesTable,
    settle: (values: ShowtablesValues) => settle(values, runtime, files),
  };
  return readCommandLine(program, argv, runtime);
}

function settle(
  values: ShowtablesValues,
  runtime: Runtime,
  files: SecretFiles,
): Settled<ShowtablesOptions> {
  const { connect, watch, json, syncAnyUser } = values;
  const warnings: string[] = [];
  const warn: Warn = (text) => warnings.push(text);
  const server = connect && serverOf("--connect", connect);
  const syncTls = syncTlsOf(values, { runtime, files, warn });
  if (syncTls && server === undefined) {
    warn("--sync-tls-cert has no effect without --connect (-X)");
  }
  const trust = { syncTls, syncAnyUser };
  if (server !== undefined) warnOfTrust(trust, [server], warn);
  return { options: { server, ...trust, watch, json }, warnings };
}
