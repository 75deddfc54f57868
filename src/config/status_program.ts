// The options of `anytun status`; the original has none.
import { DUMP_COLUMNS } from "../status/dump.ts";
import { splitWords } from "./arguments.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { generalRows } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { requireDaemonName } from "./named_daemon.ts";
import { flag } from "./option.ts";
import { STATUS_FOLDER } from "./status.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

const group = "General";

/** Every option, in the order of the help text. */
export const statusTable = {
  ...generalRows,
  watch: flag({
    group,
    short: "-w",
    long: "--watch",
    help: "keep running, and refresh every two seconds",
  }),
  json: flag({
    group,
    short: "-j",
    long: "--json",
    help: "print a line of JSON for each daemon",
  }),
  cluster: flag({
    group,
    short: "-c",
    long: "--cluster",
    help:
      "show all members of its cluster, and which client each of them serves",
  }),
  dump: flag({
    group,
    short: "-d",
    long: "--dump",
    help: "print tab-separated columns, for scripts",
  }),
};

const sections: readonly HelpSection[] = [
  {
    title: "Names, in front of the options",
    lines: [
      `vpn        the daemon whose socket is ${STATUS_FOLDER}/vpn.sock`,
      "/run/a.s   the one with this --status-socket",
      `no name    all that have a socket in ${STATUS_FOLDER}`,
    ],
  },
  {
    title: "Columns of --dump; '-' where there is nothing to tell",
    lines: [
      ...columnLines("of each daemon:", DUMP_COLUMNS.tunnel),
      ...columnLines("of each connection:", DUMP_COLUMNS.connection),
      ...columnLines("with --cluster, of each member:", DUMP_COLUMNS.member),
      ...columnLines("and of each client:", DUMP_COLUMNS.client),
      "Later versions may have more columns, behind these.",
    ],
  },
  {
    title: "Exit status",
    lines: [
      "0    every daemon that was asked has answered",
      "255  there is none, or one has not answered; a message says which",
    ],
  },
];

export type StatusForm = "table" | "json" | "dump";

export interface StatusProgramOptions {
  /** Names or paths; without any it is all. */
  readonly names: readonly string[];
  readonly form: StatusForm;
  /** Whether members of the cluster are shown, in place of connections. */
  readonly cluster: boolean;
  readonly watch: boolean;
}

/** Touches nothing outside. */
export function readStatusCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<StatusProgramOptions> {
  const [names, options] = splitWords(argv);
  return readCommandLine(
    {
      name: "anytun-status",
      table: statusTable,
      sections,
      words: "[name...]",
      settle: (settings: Settings<typeof statusTable>) =>
        settle(settings, names),
    },
    options,
    runtime,
  );
}

function settle(
  { values: { cluster, json, dump, watch }, names: options }: Settings<
    typeof statusTable
  >,
  names: readonly string[],
): StatusProgramOptions {
  if (json && dump) {
    throw new OptionFault(
      `Cannot use both ${options.json} and ${options.dump}`,
    );
  }
  for (const name of names) requireDaemonName(name);
  const form = json ? "json" : dump ? "dump" : "table";
  return { names, form, cluster, watch };
}

function columnLines(title: string, columns: readonly string[]): string[] {
  return [title, ...columns.map((column, k) => `  ${k + 1}. ${column}`)];
}
