// anytun-health(8)
import { STATUS_FOLDER } from "../../src/config/status.ts";
import type { Known, Page } from "../page.ts";

export function healthPage({ options, help }: Known): Page {
  return {
    name: "anytun-health",
    section: 8,
    purpose: "say in a word, and by exit status, whether a daemon is fit",
    synopsis: [
      '"anytun" "health" <name> <options>',
      '"anytun-health" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-health" asks a daemon of anytun(8) at its --status-socket
          whether it may have traffic, and prints the answer in one line: the
          state, and what keeps it from being fit. It is for scripts, such as the
          checks of keepalived, ExaBGP or BIRD; the daemon looks at itself once a
          second, so that to ask costs it next to nothing.`,
          `A daemon is "fit" if each thread of its data plane goes round, its
          device is up, it is in step with its cluster, no clock is wrong that
          its key chain depends on, and it is not told to drain. How often in a
          row that has to be seen, and for how long, --health-rise, --health-fall
          and --health-hold of anytun(8) say.`,
          `A name is that of a config file without folder and extension, and
          stands for "${STATUS_FOLDER}/<name>.sock"; with a slash in it, it is
          the path of a socket. Without a name there has to be one daemon alone.
          Root can ask, and the user that has started the daemon; others ask
          "/readyz" of --metrics.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "For keepalived.conf(5):",
          {
            lines: [
              "vrrp_script anytun {",
              '    script "/usr/sbin/anytun health vpn"',
              "    user root",
              "    interval 1",
              "}",
            ],
          },
        ],
      },
      {
        title: "See also",
        blocks: ["anytun(8), anytun-drain(8), anytun-status(8)"],
      },
    ],
  };
}
