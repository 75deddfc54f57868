// anytun(8)
import {
  callOf,
  MAIN_PROGRAM,
  type ProgramName,
  PROGRAMS,
} from "../../src/config/programs.ts";
import type { Known, Page } from "../page.ts";

export function anytunPage({ options, help }: Known): Page {
  return {
    name: "anytun",
    section: 8,
    purpose: "encrypted tunnel between two hosts, or many",
    synopsis: [
      '"anytun" <options>',
      '"anytun" <command> <arguments>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun" carries the IP packets or Ethernet frames of a virtual
          network device in UDP datagrams of SATP, the Secure Anycast Tunneling
          Protocol. Its datagrams are those of anytun 0.3.8 and uanytun 0.3.7,
          which may be at the other end, and it takes their options.`,
          `There is no handshake. Both ends have the same key and salt, and
          opposite roles; one of them at least knows the address of the other
          (--remote-host). The other one learns it from the first datagram whose
          tag is right.`,
          `Without --nodaemonize it goes to the background as soon as it is
          ready. The exit status of the caller says whether it is.`,
          `The options may come from a file: "anytun --config office" reads
          "/etc/anytun/office.yaml", see anytun.yaml(5).`,
          `The first word may be the name of another program of this binary,
          each of which has a page of its own, "help", which prints what options
          there are, also those of a program named behind it, or "version":`,
          {
            terms: Object.entries(PROGRAMS)
              .filter(([name]) => name !== MAIN_PROGRAM)
              .map(([name, purpose]) =>
                [
                  `"${callOf(name as ProgramName)}"`,
                  `${purpose.charAt(0).toUpperCase()}${purpose.slice(1)}.`,
                ] as const
              ),
          },
        ],
      },
      options,
      {
        title: "Key and salt",
        blocks: [
          `A tunnel needs a master key and a master salt, or a passphrase that
          both are made of, or a key chain. The first of these that is there
          counts: the option itself, the file (--key-file, --salt-file,
          --passphrase-file), and the credentials "key", "salt" and "passphrase"
          of a systemd service. Only a server that takes its clients from others
          (--sync-hosts, --control-host) goes without.`,
          `A key is for two ends alone. Several clients of one server have
          several keys, and a mux each.`,
        ],
      },
      { title: "Signals", blocks: [help("Signals")] },
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Files",
        blocks: [{
          terms: [
            [
              '"/etc/anytun/<name>.yaml", "/etc/anytun/<name>/config"',
              "Options: see anytun.yaml(5).",
            ],
            [
              '"/run/anytun/<name>.sock"',
              "Where anytun-status(8) asks: see --status-socket.",
            ],
            [
              '"/var/lib/anytun"',
              `Sequence numbers and sender ids that were used, and in "clients-*"
              what anytun-controld(8) keeps of a --source, with keys: see
              --state-dir.`,
            ],
            ['"/dev/net/tun"', "What makes virtual network devices."],
          ],
        }],
      },
      {
        title: "Examples",
        blocks: [
          "A key and a salt, made once and brought to both hosts:",
          { lines: ["anytun genkey --key-file key --salt-file salt"] },
          "The end that can be reached, at 192.0.2.1:",
          {
            lines: [
              "anytun -e left -n 10.99.0.1/24 --key-file key --salt-file salt",
            ],
          },
          "The other one:",
          {
            lines: [
              "anytun -r 192.0.2.1 -e right -n 10.99.0.2/24 \\",
              "  --key-file key --salt-file salt",
            ],
          },
          "The same from a file, under systemd:",
          { lines: ["systemctl enable --now anytun@office"] },
          "A server that takes its clients from a control daemon:",
          {
            lines: ["anytun -X unix:/run/anytun.sock -n 10.99.0.1/24"],
          },
        ],
      },
      {
        title: "See also",
        blocks: [
          `anytun.yaml(5), ${
            Object.keys(PROGRAMS).filter((name) => name !== MAIN_PROGRAM)
              .map((name) => `${name}(8)`).join(", ")
          }`,
        ],
      },
    ],
  };
}
