// The options of the program `anytun-controld`.
import type { LogTarget } from "../log/target.ts";
import type { PlaceName } from "../net/place.ts";
import type { SyncTrust } from "../sync/transport.ts";
import { syncTrustRows, trustOf } from "./cluster.ts";
import { clientsOf, type ClientsOfFolder } from "./client_folder.ts";
import { DEFAULT_FLEET_FOLDER } from "./connection.ts";
import {
  type CommandLine,
  type Program,
  readCommandLine,
  type ReadConfig,
} from "./command_line.ts";
import { configFileRows } from "./config_place.ts";
import type { ConfigSource } from "./config_source.ts";
import { OptionFault } from "./fault.ts";
import {
  daemonOf,
  type DaemonOptions,
  daemonRows,
  daemonSections,
  generalRows,
} from "./general.ts";
import type { HelpSection } from "./help.ts";
import { daemonLogTargetsOf, debugRow, logFormatRow, logRow } from "./log.ts";
import { anyText, flag, optional } from "./option.ts";
import { sourceOf, type SourceOptions, sourceRows } from "./source.ts";
import { placeToListen } from "./host_port.ts";
import type { InForce } from "./reading.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import type { OptionValues, Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/** Every option, in the order of the help text (CLI section 2). */
export const controldTable = {
  ...generalRows,
  ...configFileRows,
  ...daemonRows,
  log: logRow("syslog:3,anytun-controld,daemon; in the foreground stderr:3"),
  logFormat: logFormatRow,
  debug: debugRow,
  file: optional({
    group: "Cluster",
    short: "-f",
    long: "--file",
    argument: "file",
    parse: anyText,
    help: "serve what this file holds: the output of anytun-config",
  }),
  keyChains: optional({
    group: "Cluster",
    long: "--key-chains",
    argument: "folder",
    parse: anyText,
    help: "serve the present keys of each connection whose key chain is in " +
      "this folder, in a file that has the mux for its name, in place of " +
      "those of --file",
  }),
  ...sourceRows,
  sourceAllowLoss: flag({
    group: "Cluster",
    long: "--source-allow-loss",
    help: "believe the store when all clients are missing there at once, or " +
      "more than half of many, and remove them; otherwise these stay, as it " +
      "has more likely lost its data",
  }),
  stateDir: optional({
    group: "Cluster",
    long: "--state-dir",
    argument: "folder",
    parse: anyText,
    help: "keep the clients of --source here, for a start without the store; " +
      "none keeps nothing (default $STATE_DIRECTORY, else " +
      `${DEFAULT_FLEET_FOLDER})`,
  }),
  controlHost: optional({
    group: "Cluster",
    short: "-X",
    long: "--control-host",
    argument: "host:port",
    parse: placeToListen,
    help: "local address and port (default 127.0.0.1:2323), or unix:<path>",
  }),
  ...syncTrustRows,
};

const sections: readonly HelpSection[] = [
  {
    title: "Example, for servers of this host",
    lines: ["anytun controld -f clients -X unix:/run/anytun.sock"],
  },
  ...daemonSections("read the file again", "how many records there are"),
];

type ControldSettings = Settings<typeof controldTable>;

const DEFAULT_PLACE: PlaceName = { host: "127.0.0.1", port: 2323 };

export interface ControldOptions extends
  DaemonOptions,
  Pick<
    OptionValues<typeof controldTable>,
    "keyChains" | "logFormat" | "sourceAllowLoss" | "stateDir"
  >,
  SyncTrust,
  ConfigSource {
  /** Never twice to one stream. */
  readonly logTargets: readonly LogTarget[];
  /** Undefined where clients stand for its records. */
  readonly file: string | undefined;
  /** Those of a Debian tunnel; undefined where there is another source. */
  readonly clients: ClientsOfFolder | undefined;
  readonly source: SourceOptions | undefined;
  readonly controlHost: PlaceName;
}

/** What its arguments and its config file are to the program. */
export function controldProgram(
  runtime: Runtime,
  files: HostFiles,
): Program<typeof controldTable, ControldOptions> {
  return {
    name: "anytun-controld",
    table: controldTable,
    sections,
    debianKeys: ["control-host"],
    settle: (settings: ControldSettings, warn, config) =>
      settle(settings, { runtime, files, warn }, config),
  };
}

/** Touches nothing outside but the files of certificates and their key. */
export function readControldCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: HostFiles,
  inForce?: InForce,
): CommandLine<ControldOptions> {
  return readCommandLine(
    controldProgram(runtime, files),
    argv,
    runtime,
    { files, inForce },
  );
}

function settle(
  settings: ControldSettings,
  surroundings: Surroundings,
  { source, place }: ReadConfig,
): ControldOptions {
  const { file, keyChains, logFormat, stateDir } = settings.values;
  const { controlHost = DEFAULT_PLACE, sourceAllowLoss } = settings.values;
  const { warn } = surroundings;
  const daemon = daemonOf(settings, warn);
  const logTargets = daemonLogTargetsOf(settings, daemon.foreground, warn);
  const store = sourceOf(settings, surroundings);
  requireOne(settings);
  const clients = file === undefined && store === undefined
    ? clientsOf(place, {}, surroundings)
    : undefined;
  if ((file ?? clients ?? store) === undefined) {
    throw new OptionFault(
      "Cannot serve anything: add --file (-f) or --source, or have a folder " +
        "conf.d of clients beside a config file of Debian's package",
    );
  }
  const trust = trustOf(settings, [controlHost], surroundings);
  const what = { file, clients, keyChains, controlHost };
  const kept = { source: store, sourceAllowLoss, stateDir };
  const rest = { ...source, logTargets, logFormat };
  return { ...daemon, ...trust, ...what, ...kept, ...rest };
}

/** Records of two places would be of two minds. */
function requireOne({ values, names }: ControldSettings): void {
  if (values.source === undefined) return;
  const other = values.file !== undefined
    ? names.file
    : values.keyChains !== undefined
    ? names.keyChains
    : undefined;
  if (other === undefined) return;
  throw new OptionFault(
    `Cannot use both ${names.source} and ${other}: records, and key chains, ` +
      "are those of the store alone",
  );
}
