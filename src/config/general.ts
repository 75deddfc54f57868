// Options of every program, and those of every daemon (CLI section 2).
import { DAY } from "./duration.ts";
import type { Warn } from "./fault.ts";
import {
  action,
  anyText,
  decimal,
  flag,
  optional,
  withDefault,
} from "./option.ts";
import type { HelpSection } from "./help.ts";
import type { debugRow } from "./log.ts";
import { type OptionValues, pick, type Settings } from "./values.ts";

export const generalRows = {
  help: action("help", {
    short: "-h",
    long: "--help",
    help: "print this text and exit",
  }),
  version: action("version", {
    short: "-v",
    long: "--version",
    help: "print the version and exit",
  }),
};

/** More is meant to be without end. */
const MAX_START_SECONDS = DAY;

export const daemonRows = {
  foreground: flag({
    group: "Running",
    short: "-D",
    long: "--nodaemonize",
    help: "stay in the foreground",
  }),
  username: optional({
    group: "Running",
    short: "-u",
    long: "--username",
    argument: "user",
    parse: anyText,
    help: "become this user when everything is set up",
  }),
  groupname: optional({
    group: "Running",
    short: "-g",
    long: "--groupname",
    argument: "group",
    parse: anyText,
    help: "become this group, with -u (default: the user's)",
  }),
  chroot: optional({
    group: "Running",
    short: "-C",
    long: "--chroot",
    argument: "folder",
    parse: anyText,
    help: "see no file outside of this folder when everything is set up",
  }),
  noSandbox: flag({
    group: "Running",
    long: "--no-sandbox",
    help: "restrict neither system calls nor files when everything is set up",
  }),
  pidFile: optional({
    group: "Running",
    short: "-P",
    long: "--write-pid",
    argument: "file",
    parse: anyText,
    help: "write the process id to this file, and remove it at the end",
  }),
  startTimeout: withDefault({
    group: "Running",
    long: "--start-timeout",
    argument: "seconds",
    parse: decimal(0, MAX_START_SECONDS),
    default: 30,
    help: "in the background, how long the caller waits until the daemon is " +
      "ready; 0 for no limit",
  }),
};

/**
 * Signals and exit status of a daemon, for its help.
 * @param reload What it does at a HUP besides
 * @param report What it writes to the log at a USR2
 */
export function daemonSections(
  reload: string,
  report: string,
): readonly HelpSection[] {
  return [
    {
      title: "Signals",
      lines: [
        "TERM, INT, QUIT  end it",
        `HUP              open log files anew, and ${reload}`,
        `USR2             open log files anew, and log ${report}`,
      ],
    },
    {
      title: "Exit status",
      lines: [
        "0    a signal has ended it; in the background, it is ready",
        "255  it cannot start, or cannot go on; a message says why",
      ],
    },
  ];
}

/** Exit status of a program that comes to an end by itself, for its help. */
export const toolExitSection: HelpSection = {
  title: "Exit status",
  lines: ["0    all is done", "255  it has failed; a message says why"],
};

/** How a daemon runs; `foreground` is true of `-U` as well. */
export type DaemonOptions = OptionValues<typeof daemonRows>;

/** How a daemon runs, with warnings of what does not do what it seems to. */
export function daemonOf(
  { values, names }: Settings<
    typeof daemonRows & { readonly debug: typeof debugRow }
  >,
  warn: Warn,
): DaemonOptions {
  const { foreground, debug, username, groupname, chroot, noSandbox } = values;
  if (chroot !== undefined && username === undefined) {
    warn(`${names.chroot} without --username (-u): root can leave the jail`);
  }
  if (groupname !== undefined && username === undefined) {
    warn(`${names.groupname} has no effect without --username (-u)`);
  }
  if (noSandbox) {
    warn(
      `${names.noSandbox}: whoever finds a fault in this program can do ` +
        "with the system what its user may",
    );
  }
  return { ...pick(values, daemonRows), foreground: foreground || debug };
}
