/**
 * The options of the program `anytun-controld` as a whole.
 *
 * @module
 */
import type { UnixSocket } from "../net/place.ts";
import type { LogFormat, LogTarget } from "../log/target.ts";
import {
  type CommandLine,
  readCommandLine,
  type Settled,
  type Warn,
} from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { warnOfTrust } from "./cluster.ts";
import type { HostPort } from "./lists.ts";
import { logTargetsOf } from "./log_target.ts";
import type { SecretFiles } from "./secret_files.ts";
import { type SyncTls, syncTlsOf } from "./sync_tls.ts";
import { controldTable, type ControldValues } from "./table.ts";
import type { Runtime } from "./version.ts";

/** Validated options of `anytun-controld` (CLI section 2). */
export interface ControldOptions {
  /** `-D` or `-U`: do not go to the background. */
  readonly foreground: boolean;
  /** Who to become. */
  readonly username: string | undefined;
  /** The group to take on instead of the user's; only with a user. */
  readonly groupname: string | undefined;
  /** The folder that becomes the root of the file system. */
  readonly chroot: string | undefined;
  /** The file that takes the process id. */
  readonly pidFile: string | undefined;
  /** Where log lines go; never twice to one stream. */
  readonly logTargets: readonly LogTarget[];
  /** How log lines look, except for syslog. */
  readonly logFormat: LogFormat;
  /** The file to serve. */
  readonly file: string;
  /** Where to listen. */
  readonly controlHost: HostPort | UnixSocket;
  /** What protects the streams to clients. */
  readonly syncTls: SyncTls | undefined;
  /** Whether every user of this host may be a client, over TCP. */
  readonly syncAnyUser: boolean;
}

/**
 * Reads the arguments of `anytun-controld`; touches nothing outside but the
 * files of certificates and their key.
 *
 * @param argv Without the name of the program
 */
export function readControldCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: SecretFiles,
): CommandLine<ControldOptions> {
  const program = {
    name: "anytun-controld",
    table: controldTable,
    settle: (values: ControldValues) => settle(values, runtime, files),
  };
  return readCommandLine(program, argv, runtime);
}

function settle(
  values: ControldValues,
  runtime: Runtime,
  files: SecretFiles,
): Settled<ControldOptions> {
  const warnings: string[] = [];
  const warn: Warn = (text) => warnings.push(text);
  const { file, username, groupname, chroot, pidFile, logFormat } = values;
  const foreground = values.foreground || values.debug;
  const logTargets = logTargetsOf(
    values,
    foreground
      ? { kind: "stderr", level: 3 }
      : { kind: "syslog", level: 3, ident: undefined, facility: "daemon" },
  );
  if (file === undefined) {
    throw new OptionFault("Cannot serve anything: add --file (-f)");
  }
  const controlHost = values.controlHost ??
    { host: "127.0.0.1", port: "2323" };
  const syncTls = syncTlsOf(values, { runtime, files, warn });
  const { syncAnyUser } = values;
  warnOfTrust({ syncTls, syncAnyUser }, [controlHost], warn);
  return {
    options: {
      ...{ foreground, username, groupname, chroot, pidFile },
      ...{ logTargets, logFormat, file, controlHost },
      ...{ syncTls, syncAnyUser },
    },
    warnings,
  };
}
