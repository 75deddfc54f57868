// anytun-fleet(8)
import type { Known, Page } from "../page.ts";

export function fleetPage({ options, help }: Known): Page {
  return {
    name: "anytun-fleet",
    section: 8,
    purpose: "add, remove, list and rotate the clients of a fleet",
    synopsis: [
      '"anytun" "fleet" "add" <name> <options>',
      '"anytun" "fleet" "remove" <name> <options>',
      '"anytun" "fleet" "list" <options>',
      '"anytun" "fleet" "rotate" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-fleet" changes the clients of a fleet where their records
          are: in etcd, at --source. The control daemons that watch it
          (anytun-controld(8) with the same --source) tell the servers within a
          second.`,
          {
            terms: [
              [
                '"add" <name>',
                `Makes a client: its record, with a key and a salt
              of its own, or a key chain, or what is given, and a mux that no
              other client has. The config for its own side goes to --out. If
              anything fails, neither is there.`,
              ],
              [
                '"remove" <name>',
                `Removes a client with all of its records: no
              server takes it any more.`,
              ],
              [
                '"list"',
                `Shows name, mux, the end that the servers have, kind of
              keys, endpoint and routes of each client, and never a key.`,
              ],
              [
                '"rotate" <name>',
                `Gives a client other keys. One with a key chain
              keeps that: the store forgets what older keys are made of, and no
              other host has to do anything. With --chain it gets a new chain.
              Otherwise it gets a new key and salt, or those that are given.`,
              ],
            ],
          },
          `A name is one to 63 letters, digits, dots, underscores and dashes, and
          begins with a letter or a digit. Words may stand before or behind the
          options. Two programs that change the same at once do not spoil it: the
          second one looks again.`,
          `Options that are always the same, such as --source and its
          certificates, can stand in a file: "--config operator" reads
          "/etc/anytun/operator.yaml".`,
        ],
      },
      {
        title: "Keys without a lost packet",
        blocks: [
          `Servers that get a new key seal with it at once, and open with the one
          before for ten seconds more. A client that gets one by HUP opens with
          both, and seals with the new one once it has heard it, or after twelve
          seconds. So make the keys with anytun-genkey(8), bring them to the
          client, and send it a HUP; within ten seconds have "rotate" take the
          same ones by --key-file and --salt-file. With keys that "rotate" makes
          itself, the client hears nothing until it has them.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "A client, with what its side needs in a file:",
          {
            lines: [
              "anytun fleet add branch --config operator --address 10.99.0.5/24 \\",
              "  --server vpn.example.net --out branch.yaml",
            ],
          },
          "Forget the keys of the past, of a client with a key chain:",
          { lines: ["anytun fleet rotate branch --config operator"] },
        ],
      },
      {
        title: "See also",
        blocks: ["anytun(8), anytun-controld(8), anytun-genkey(8), etcd(1)"],
      },
    ],
  };
}
