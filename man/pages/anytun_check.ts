// anytun-check(8)
import type { Known, Page } from "../page.ts";

export function checkPage({ options, help }: Known): Page {
  return {
    name: "anytun-check",
    section: 8,
    purpose: "say what a start with a config file would refuse or warn of",
    synopsis: [
      '"anytun-check" <name> <options>',
      '"anytun" "check" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-check" reads config files as a start would, and the files that
          they name: those of keys and certificates. It opens nothing else, and
          takes nothing away: pipes and standard input, which a start can read
          once, are not looked at, nor credentials of services that do not run. Of what a start cannot do without it looks at
          whether it is there: the user and group, the folder of --chroot, the
          namespace of --netns, the program of --announce-script, and that of
          --post-up-script with --post-up-required. Faults and warnings go to standard error, with
          file, line and column; secrets are never shown.`,
          `A name is what --config takes: that of a tunnel, or the path of a file.
          Without any name it checks all tunnels in "/etc/anytun", those of
          Debian's package included, and that there is one for each name in
          "/etc/anytun/autostart". Unless --for says otherwise, a YAML file with
          the key "file" or "source" is for anytun-controld(8), any other one for
          anytun(8).
          Of a tunnel of Debian's package with a folder "conf.d", both are
          checked.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "Before a reload:",
          { lines: ["anytun-check vpn && systemctl reload anytun@vpn"] },
        ],
      },
      { title: "See also", blocks: ["anytun(8), anytun-show-config(8)"] },
    ],
  };
}
