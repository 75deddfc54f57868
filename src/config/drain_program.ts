// The options of `anytun drain` and `anytun undrain`; the original has neither.
import { splitWords } from "./arguments.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { DAY, duration } from "./duration.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { daemonNameSection, oneDaemonName } from "./named_daemon.ts";
import { optional } from "./option.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

export const drainTable = {
  ...generalRows,
  wait: optional({
    group: "General",
    short: "-w",
    long: "--wait",
    argument: "duration",
    parse: duration(0, DAY),
    help: "wait so long for the traffic to go elsewhere, such as 30 or 5m; 0 " +
      "does not look (30 s unless given, or the --drain-time of the daemon " +
      "where that is longer)",
  }),
};

export const undrainTable = generalRows;

/** Exit status where packets still come after the wait. */
export const EXIT_STILL_CARRIES = 1;

const drainSections: readonly HelpSection[] = [
  daemonNameSection,
  {
    title: "Exit status",
    lines: [
      "0    it drains, and was empty before the end of the wait",
      "1    it drains, and still carries packets",
      "255  it has failed; a message says why",
    ],
  },
];

interface DrainProgramOptions {
  /** Name or path; undefined for the only one that there is. */
  readonly name: string | undefined;
  /** Seconds; undefined for as long as the daemon would wait at its end. */
  readonly wait: number | undefined;
}

/** Touches nothing outside. */
export function readDrainCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<DrainProgramOptions> {
  const [names, options] = splitWords(argv);
  return readCommandLine(
    {
      name: "anytun-drain",
      table: drainTable,
      sections: drainSections,
      words: "[name]",
      settle: ({ values: { wait } }: Settings<typeof drainTable>) => ({
        ...{ name: oneDaemonName(names), wait },
      }),
    },
    options,
    runtime,
  );
}

/** Touches nothing outside. */
export function readUndrainCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<Pick<DrainProgramOptions, "name">> {
  const [names, options] = splitWords(argv);
  return readCommandLine(
    {
      name: "anytun-undrain",
      table: undrainTable,
      sections: [daemonNameSection, toolExitSection],
      words: "[name]",
      settle: () => ({ name: oneDaemonName(names) }),
    },
    options,
    runtime,
  );
}
