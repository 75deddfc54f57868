/**
 * Options about how a daemon runs (CLI section 2).
 *
 * @module
 */
import { flag, optional } from "../option.ts";
import { anyText } from "../values.ts";

/** `-D`, `-u`, `-g`, `-C` and `-P`. */
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
  pidFile: optional({
    group: "Running",
    short: "-P",
    long: "--write-pid",
    argument: "file",
    parse: anyText,
    help: "write the process id to this file, and remove it at the end",
  }),
};

/** `-U`. */
export const debugRow = flag({
  group: "Running",
  short: "-U",
  long: "--debug",
  help: "the same as -D -L stdout:5",
});
