// anytun-config(8)
import type { Known, Page } from "../page.ts";

export function configPage({ options, help }: Known): Page {
  return {
    name: "anytun-config",
    section: 8,
    purpose: "print the records of a client for anytun-controld",
    synopsis: ['"anytun-config" <options>', '"anytun" "config" <options>'],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-config" prints what the servers of a cluster have to know of
          one client: its mux, key and salt, its role, and the networks behind
          it. The outputs for all clients, one after the other, are the file that
          anytun-controld(8) serves.`,
          `With the --config of a tunnel of Debian's package it prints the records
          of all clients in the folder "conf.d" beside the file. As with the
          launcher of the package, all of them have the key derivation of the
          server.`,
          `The output holds the master key of the client: nobody else should be
          able to read where it goes ("umask 077"). Nothing is printed where
          anything is wrong. The original prints records without keys, too.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "For a client that has mux 5 and the role client:",
          {
            lines: [
              "anytun-config --key-file key --salt-file salt \\",
              "  -m 5 -e server -R 10.99.0.5/32 >>clients",
            ],
          },
        ],
      },
      {
        title: "See also",
        blocks: ["anytun(8), anytun-controld(8), anytun-genkey(8)"],
      },
    ],
  };
}
