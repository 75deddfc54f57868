// anytun-show-config(8)
import type { Known, Page } from "../page.ts";

export function showConfigPage({ options, help }: Known): Page {
  return {
    name: "anytun-show-config",
    section: 8,
    purpose: "print the options in force, and where each comes from",
    synopsis: [
      '"anytun-show-config" <name> <options>',
      '"anytun" "show-config" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-show-config" prints all options of a program as they would be
          in force if it were started like this: arguments come before the config
          file, and that comes before defaults. Behind each value stands where it
          comes from: "argument", file and line, or "default". Options without a
          value are comments, and so are secrets, which are not shown.`,
          `What it prints is a config file in YAML. Given one of Debian's package
          it makes one of ours.`,
          `A name in front of all options is the same as --config. All options of
          the program are taken, too. What a start would warn of or refuse is said
          on standard error.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "What another MTU would change:",
          { lines: ["anytun-show-config vpn --mtu 1300"] },
        ],
      },
      { title: "See also", blocks: ["anytun(8), anytun-check(8)"] },
    ],
  };
}
