// The options of `anytun health`; the original has none.
import { splitWords } from "./arguments.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { generalRows } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { daemonNameSection, oneDaemonName } from "./named_daemon.ts";
import type { Runtime } from "./version.ts";

export const healthTable = generalRows;

/** Exit status by the state; others than that of a wrong command line. */
export const HEALTH_EXITS = {
  fit: 0,
  starting: 1,
  draining: 2,
  unfit: 3,
} as const;

/** Exit status where no daemon answers. */
export const EXIT_NO_DAEMON = 4;

const sections: readonly HelpSection[] = [
  daemonNameSection,
  {
    title: "Exit status",
    lines: [
      "0    fit: it may have traffic",
      "1    starting: it was not fit yet",
      "2    draining: it was told to drain, or is about to end",
      "3    unfit: standard output says why, as it does for the others",
      "4    no daemon answers; a message says why",
      "255  it was called in a wrong way",
    ],
  },
];

interface HealthProgramOptions {
  /** Name or path; undefined for the only one that there is. */
  readonly name: string | undefined;
}

/** Touches nothing outside. */
export function readHealthCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<HealthProgramOptions> {
  const [names, options] = splitWords(argv);
  return readCommandLine(
    {
      name: "anytun-health",
      table: healthTable,
      sections,
      words: "[name]",
      settle: () => ({ name: oneDaemonName(names) }),
    },
    options,
    runtime,
  );
}
