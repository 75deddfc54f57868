// The options of `anytun-showtables`; the original has none.
import type { PlaceName } from "../net/place.ts";
import type { SyncTrust } from "../sync/transport.ts";
import { syncTrustRows, trustOf } from "./cluster.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { flag, optional } from "./option.ts";
import { place } from "./host_port.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/** Every option, in the order of the help text. */
export const showtablesTable = {
  ...generalRows,
  connect: optional({
    group: "Cluster",
    short: "-X",
    long: "--connect",
    argument: "host:port",
    parse: place,
    help: "ask this server, or the one at unix:<path>, instead of reading " +
      "standard input",
  }),
  watch: flag({
    group: "Cluster",
    short: "-w",
    long: "--watch",
    help: "go on for as long as there is something to come",
  }),
  json: flag({
    group: "Cluster",
    short: "-j",
    long: "--json",
    help: "print a line of JSON for each record",
  }),
  ...syncTrustRows,
};

const sections: readonly HelpSection[] = [
  {
    title: "Example, of a control daemon of this host",
    lines: ["anytun showtables -X unix:/run/anytun.sock"],
  },
  toolExitSection,
];

type ShowtablesSettings = Settings<typeof showtablesTable>;

export interface ShowtablesOptions extends SyncTrust {
  /** The server to ask; without one it is standard input. */
  readonly server: PlaceName | undefined;
  readonly watch: boolean;
  readonly json: boolean;
}

/** Touches nothing outside but the files of certificates and their key. */
export function readShowtablesCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: HostFiles,
): CommandLine<ShowtablesOptions> {
  return readCommandLine(
    {
      name: "anytun-showtables",
      table: showtablesTable,
      sections,
      settle: (settings: ShowtablesSettings, warn) =>
        settle(settings, { runtime, files, warn }),
    },
    argv,
    runtime,
  );
}

function settle(
  settings: ShowtablesSettings,
  surroundings: Surroundings,
): ShowtablesOptions {
  const { values: { connect: server, watch, json }, names } = settings;
  // Without a server, it is an affair of whoever provides the input.
  const places = server === undefined ? [] : [server];
  const trust = trustOf(settings, places, surroundings);
  if (trust.syncTls && server === undefined) {
    surroundings.warn(
      `${names.syncTlsCert} has no effect without --connect (-X)`,
    );
  }
  return { server, ...trust, watch, json };
}
