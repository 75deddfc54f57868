// anytun-withdraw(8)
import type { Known, Page } from "../page.ts";

export function withdrawPage({ options, help }: Known): Page {
  return {
    name: "anytun-withdraw",
    section: 8,
    purpose: "take away what a daemon that was killed has left announced",
    synopsis: [
      '"anytun" "withdraw" <name> <options>',
      '"anytun-withdraw" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-withdraw" takes the addresses of --anycast-address off
          --anycast-device, has this host take them in no more, and runs
          --announce-script with "withdraw", all as the config file of a daemon of
          anytun(8) has them. It is for when that daemon is gone and did not do so
          itself, as where it was killed together with its guard: the unit of the
          package has it as "ExecStopPost=". Where the daemon has ended by itself
          there is nothing left to do.`,
          `An address that a daemon of this host announces it leaves alone, and
          says so: see anytun-drain(8). So it does with the script, where all
          addresses are those of others, or a daemon of this name lives that has a
          script: that one would not know that it is announced no more. What
          cannot be taken away keeps neither the other addresses nor the script. A
          script that has not ended after 10 seconds is ended. What it writes goes
          to standard output. It takes "CAP_NET_ADMIN", as the daemon does.`,
          `Daemons of this host are those of root, of the user "anytun", of the
          owner of /run/anytun, and of the user who asks: what anybody else claims
          to announce is named, and withdrawn.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "In a unit of your own, after what was no orderly end:",
          { lines: ["ExecStopPost=-/usr/sbin/anytun withdraw vpn"] },
        ],
      },
      {
        title: "See also",
        blocks: ["anytun(8), anytun-drain(8), anytun.yaml(5)"],
      },
    ],
  };
}
