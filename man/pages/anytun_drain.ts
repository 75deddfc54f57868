// anytun-drain(8) and anytun-undrain(8)
import type { Known, Page } from "../page.ts";

export function drainPage({ options, help }: Known): Page {
  return {
    name: "anytun-drain",
    section: 8,
    purpose: "have traffic led elsewhere, before a daemon is stopped",
    synopsis: [
      '"anytun" "drain" <name> <options>',
      '"anytun-drain" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-drain" has a daemon of anytun(8) say that it should have no
          more traffic: its health is "draining" from then on, for
          anytun-health(8) and for "/readyz" of --metrics, and an address that it
          announces (--anycast-address) is taken away. It goes on to carry what
          still comes. The program waits until nothing has come or gone for two
          seconds, at most for as long as --wait says, and says what it saw. It
          does not ask whether another server is there: see "anytun status
          --cluster".`,
          `The daemon drains until anytun-undrain(8) takes that back, or it is
          started again: a restart ends what it was drained for. To keep it away
          over a restart of the host, stop its service. Who ends this program
          while it waits does not end the draining.`,
          `Root and the user that the daemon runs as may do so, and nobody else:
          the request comes through its --status-socket, which belongs to the user
          that has started it.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "A restart that nobody notices, of a server among several:",
          {
            lines: ["anytun drain vpn && systemctl restart anytun@vpn"],
          },
        ],
      },
      {
        title: "See also",
        blocks: ["anytun(8), anytun-health(8), anytun-undrain(8)"],
      },
    ],
  };
}

export function undrainPage({ options, help }: Known): Page {
  return {
    name: "anytun-undrain",
    section: 8,
    purpose: "take back what anytun-drain(8) has done",
    synopsis: [
      '"anytun" "undrain" <name> <options>',
      '"anytun-undrain" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-undrain" has a daemon of anytun(8) that drains have traffic
          again, at once if all was well with it meanwhile. It prints the health
          of the daemon in one line. A daemon that is about to end drains on.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      { title: "See also", blocks: ["anytun(8), anytun-drain(8)"] },
    ],
  };
}
