// anytun-controld(8)
import type { Known, Page } from "../page.ts";

export function controldPage({ options, help }: Known): Page {
  return {
    name: "anytun-controld",
    section: 8,
    purpose: "tell the servers of a cluster of their clients",
    synopsis: [
      '"anytun-controld" --file <file> <options>',
      '"anytun-controld" --source <url> <options>',
      '"anytun-controld" --config <name> <options>',
      '"anytun" "controld" --file <file> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-controld" serves the records that anytun-config(8) has printed
          to the servers that ask it (--control-host of anytun(8)): keys, roles,
          muxes and routes of all clients. When the file changes it is checked
          as a whole, and the servers are told what is new.`,
          `With the --config of a tunnel of Debian's package, and without --file,
          it makes these records itself, of the files of clients in the folder
          "conf.d" beside the config file, and anew at a HUP. Where two of them have
          one mux, one address or one network it warns. Of the file itself
          it takes "control-host", and the key derivation of the server.`,
          `With --source it has the clients of a fleet from etcd, where
          anytun-fleet(8) puts them, and watches them: who is added or removed
          there is so here within a second. The last state is on disk
          (--state-dir), for a start without the store. A store that has lost
          its data takes no client away (--source-allow-loss).`,
          `Whoever may connect is given the keys of all clients. On one host use
          a unix socket: then that is root and the user of the daemon alone.
          Between hosts use certificates (--sync-tls-cert), or a tunnel of the
          servers.`,
          `A client that is taken out of the file or folder is known to no server
          any more, at once: also one that was taken out while the control daemon
          did not run. Of several control daemons the first one that takes it
          back takes it away. Original anytuns know it until they end.`,
        ],
      },
      options,
      { title: "Signals", blocks: [help("Signals")] },
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "For servers of this host:",
          {
            lines: ["anytun-controld -f clients -X unix:/run/anytun.sock"],
          },
        ],
      },
      {
        title: "See also",
        blocks: [
          "anytun(8), anytun-config(8), anytun-fleet(8), anytun-showtables(8)",
        ],
      },
    ],
  };
}
