// The options of the program `anytun-config`.
import type { LogTarget } from "../log/target.ts";
import { clientOf, type ClientOptions, clientRows } from "./client_options.ts";
import { clientsOf } from "./client_folder.ts";
import {
  type CommandLine,
  type Program,
  readCommandLine,
  type ReadConfig,
} from "./command_line.ts";
import {
  CLIENTS_FOLDER,
  configFileRows,
  type ConfigPlace,
} from "./config_place.ts";
import { OptionFault } from "./fault.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { debugRow, logRow, logTargetsOf } from "./log.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/** Every option, in the order of the help text (CLI section 2). */
export const configTable = {
  ...generalRows,
  ...configFileRows,
  log: logRow("stderr:2"),
  debug: debugRow,
  ...clientRows,
};

const sections: readonly HelpSection[] = [
  {
    title: "Example, for a client that has -m 5 and -e client",
    lines: [
      "anytun config --key-file key --salt-file salt \\",
      "  -m 5 -e server -R 10.99.0.5/32 >>clients",
    ],
  },
  {
    title: "Example, for all clients of a tunnel of Debian's package",
    lines: ["anytun config --config server >clients"],
  },
  toolExitSection,
];

type ConfigSettings = Settings<typeof configTable>;

interface ConfigOptions {
  /** Never twice to one stream. */
  readonly logTargets: readonly LogTarget[];
  /** One, but for a Debian tunnel, which has a folder of them. */
  readonly clients: readonly ClientOptions[];
}

/** What its arguments and its config file are to the program. */
export function configProgram(
  runtime: Runtime,
  files: HostFiles,
): Program<typeof configTable, ConfigOptions> {
  return {
    name: "anytun-config",
    table: configTable,
    sections,
    debianKeys: [],
    settle: (settings: ConfigSettings, warn, config) =>
      settle(settings, { runtime, files, warn }, config),
  };
}

/** Touches nothing outside but the files that hold secrets. */
export function readConfigCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: HostFiles,
): CommandLine<ConfigOptions> {
  return readCommandLine(
    configProgram(runtime, files),
    argv,
    runtime,
    { files },
  );
}

/** What may be said of all clients at once. */
const SHARED: readonly string[] = ["config", "log", "debug", "kdPrf"];

function settle(
  settings: ConfigSettings,
  surroundings: Surroundings,
  { place }: ReadConfig,
): ConfigOptions {
  const logTargets = logTargetsOf(settings, { kind: "stderr", level: 2 });
  const { values: { kdPrf: value }, origins } = settings;
  const { kdPrf: origin } = origins;
  const given = origin.kind === "argument"
    ? { kdPrf: [{ value, origin }] }
    : {};
  const found = clientsOf(place, given, surroundings);
  if (found === undefined) {
    requireOwnOptions(place);
    return { logTargets, clients: [clientOf(settings, surroundings)] };
  }
  const own = Object.entries(settings.origins)
    .find(([key, { kind }]) => kind === "argument" && !SHARED.includes(key));
  if (own !== undefined) {
    const names: Readonly<Record<string, string>> = settings.names;
    throw new OptionFault(
      `Cannot use ${names[own[0]]} for all clients in '${found.folder}': ` +
        "each has options of its own in a file",
    );
  }
  return { logTargets, clients: found.clients };
}

/** The file of a Debian tunnel is that of its server, and of no client. */
function requireOwnOptions(place: ConfigPlace | undefined): void {
  if (place?.folder === undefined) return;
  throw new OptionFault(
    `Cannot make records of '${place.path}' (--config): there is no folder ` +
      `${CLIENTS_FOLDER} of clients beside it`,
  );
}
