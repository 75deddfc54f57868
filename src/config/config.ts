/**
 * The options of the program `anytun-config` as a whole.
 *
 * @module
 */
import type { LogTarget } from "../log/target.ts";
import type { Prefix } from "../net/prefix.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { KdPrfName, Role } from "../satp/params.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import {
  type CommandLine,
  readCommandLine,
  type Settled,
} from "./command_line.ts";
import { secretsOf } from "./keys.ts";
import { logTargetsOf } from "./log_target.ts";
import { familyOf, requireFamily, roleOf } from "./peer.ts";
import type { SecretFiles } from "./secret_files.ts";
import { configTable, type ConfigValues } from "./table.ts";
import type { Runtime } from "./version.ts";

/** Validated options of `anytun-config` (CLI section 2). */
export interface ConfigOptions {
  /** Where log lines go; never twice to one stream. */
  readonly logTargets: readonly LogTarget[];
  /** Address or name of the peer; without one, it is auto-detected. */
  readonly remoteHost: string | undefined;
  /** 1 to 65535. */
  readonly remotePort: number;
  /** Restricts what the name of the peer resolves to. */
  readonly family: FamilyChoice;
  /** The networks behind the peer, in the order given. */
  readonly routes: readonly Prefix[];
  /** 0 to 65535; the number of the connection. */
  readonly mux: number;
  /** Sequence numbers that the replay window spans, at most 65535. */
  readonly windowSize: number;
  readonly kdPrf: KdPrfName;
  /** The end of the tunnel that the server has. */
  readonly role: Role;
  /** Enough for key and salt, unless {@linkcode kdPrf} is `null`. */
  readonly secrets: GivenSecrets;
}

/**
 * Reads the arguments of `anytun-config`; touches nothing outside but the
 * files that hold secrets.
 *
 * @param argv Without the name of the program
 */
export function readConfigCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: SecretFiles,
): CommandLine<ConfigOptions> {
  const program = {
    name: "anytun-config",
    table: configTable,
    settle: (values: ConfigValues) => settle(values, files),
  };
  return readCommandLine(program, argv, runtime);
}

function settle(
  values: ConfigValues,
  files: SecretFiles,
): Settled<ConfigOptions> {
  const warnings: string[] = [];
  const { remoteHost, remotePort, mux, windowSize, kdPrf } = values;
  const family = familyOf(values);
  requireFamily("--remote-host", remoteHost, family);
  const options: ConfigOptions = {
    family,
    role: roleOf(values),
    logTargets: logTargetsOf(values, { kind: "stderr", level: 2 }),
    ...{ remoteHost, remotePort, mux, windowSize, kdPrf },
    routes: values.routes.flat(),
    secrets: secretsOf(values, kdPrf, files, (text) => warnings.push(text)),
  };
  return { options, warnings };
}
