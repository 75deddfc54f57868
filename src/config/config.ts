// The options of the program `anytun-config`.
import type { LogTarget } from "../log/target.ts";
import type { Prefix } from "../net/prefix.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { Role } from "../satp/params.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import {
  type CommandLine,
  readCommandLine,
  type Surroundings,
} from "./command_line.ts";
import {
  muxRow,
  roleOf,
  roleRow,
  routesRow,
  windowSizeRow,
} from "./connection.ts";
import { configFileRows } from "./config_place.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { kdPrfRow, secretsOf } from "./keys.ts";
import { debugRow, logRow, logTargetsOf } from "./log.ts";
import { familyOf, familyRows, remoteRows, requireFamily } from "./network.ts";
import { U16_MAX } from "./option.ts";
import { type SecretFiles, secretRows } from "./secret_files.ts";
import { type OptionValues, pick, type Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/**
 * Every option, in the order of the help text (CLI section 2). The records
 * that the program writes have 16 bits for the size of a replay window.
 */
export const configTable = {
  ...generalRows,
  ...configFileRows,
  log: logRow("stderr:2"),
  debug: debugRow,
  ...remoteRows,
  ...familyRows,
  mux: muxRow,
  windowSize: windowSizeRow(U16_MAX),
  role: roleRow,
  routes: routesRow,
  ...secretRows,
  kdPrf: kdPrfRow,
};

const sections: readonly HelpSection[] = [
  {
    title: "Example, for a client that has -m 5 and -e client",
    lines: [
      "anytun config --key-file key --salt-file salt \\",
      "  -m 5 -e server -R 10.99.0.5/32 >>clients",
    ],
  },
  toolExitSection,
];

type ConfigSettings = Settings<typeof configTable>;

/** Options that mean the same to the program as to the command line. */
const plainRows = {
  ...remoteRows,
  mux: muxRow,
  windowSize: configTable.windowSize,
  kdPrf: kdPrfRow,
};

export interface ConfigOptions extends OptionValues<typeof plainRows> {
  /** Never twice to one stream. */
  readonly logTargets: readonly LogTarget[];
  /** Restricts what the name of the peer resolves to. */
  readonly family: FamilyChoice;
  /** The networks behind the peer, in the order given. */
  readonly routes: readonly Prefix[];
  /** The end of the tunnel that the server has. */
  readonly role: Role;
  readonly secrets: GivenSecrets;
}

/** Touches nothing outside but the files that hold secrets. */
export function readConfigCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: SecretFiles,
): CommandLine<ConfigOptions> {
  return readCommandLine(
    {
      name: "anytun-config",
      table: configTable,
      sections,
      settle: (settings: ConfigSettings, warn) =>
        settle(settings, { runtime, files, warn }),
    },
    argv,
    runtime,
    { files },
  );
}

function settle(
  settings: ConfigSettings,
  surroundings: Surroundings,
): ConfigOptions {
  const { values, names } = settings;
  const family = familyOf(settings);
  requireFamily(names.remoteHost, values.remoteHost, family);
  return {
    ...pick(values, plainRows),
    family,
    role: roleOf(settings),
    logTargets: logTargetsOf(settings, { kind: "stderr", level: 2 }),
    routes: values.routes.flat(),
    secrets: secretsOf(settings, values.kdPrf, surroundings),
  };
}
