// Longer texts on the options of the programs that look at config files.
import type { Texts } from "../texts.ts";

export default {
  "for": `The program that is to have the options: "anytun", "anytun-config" or
    "anytun-controld", the latter two also without "anytun-". The default is
    "anytun"; of a file, anytun-check(8) sees itself whose it is.`,
  "explain": `Prints above each option what it does, so that the output is its
    own manual.`,
  "strict": `Ends with status 1 if there are warnings, and no faults.`,
  "anytun-check nodaemonize": `Checks files for a start that stays in the
    foreground, as under systemd: log lines may go to standard output and
    standard error there.`,
} satisfies Texts;
