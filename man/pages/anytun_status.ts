// anytun-status(8)
import { STATUS_FOLDER } from "../../src/config/status.ts";
import { DUMP_COLUMNS } from "../../src/status/dump.ts";
import {
  CONNECTION_COUNTER_INFOS,
  type CounterInfo,
  PLANE_COUNTER_INFOS,
} from "../../src/tunnel/counters.ts";
import type { Block, Known, Page } from "../page.ts";

export function statusPage({ options, help }: Known): Page {
  return {
    name: "anytun-status",
    section: 8,
    purpose: "show what daemons of this host do, and how their peers are",
    synopsis: [
      '"anytun-status" <name> <options>',
      '"anytun" "status" <name> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-status" asks running daemons of anytun(8) at their
          --status-socket, and shows their device, where they listen, their
          cluster and their connections: a line each, with the mux, the peer as
          it was named, where it is, when it was last heard, what was sent and
          received, what was lost, and the epoch of a key chain. It never shows
          keys.`,
          `A name is that of a config file without folder and extension, and
          stands for "${STATUS_FOLDER}/<name>.sock"; with a slash in it, it is
          the path of a socket. Without any name all daemons are asked that have
          a socket in that folder. Root can ask, and the user that has started the
          daemon.`,
          `The table has rates of one second, which it takes, or with --watch
          those since it was last shown. "Errors" are all datagrams and packets
          of a connection that did not get where they should; --json has them by
          cause, by the names that --metrics has too.`,
          `With --cluster the daemon is asked for what it knows of its cluster:
          itself, the members that it follows (--sync-hosts), whether they may
          have traffic, are in step and since when, and which member serves
          which client. Whoever has begun to hear a client last has it; it is
          left out when no member has heard it for a minute. Daemons of this
          program tell each other of themselves; an original says nothing, and
          stands there as such.`,
        ],
      },
      options,
      {
        title: "Columns of --dump",
        blocks: [
          `Lines begin with "tunnel" or "connection", and have tabs between
          their columns. "-" stands for what there is not; control characters,
          tabs among them, are shown as "\\u0009". Later versions may have
          further columns behind these.`,
          columns("tunnel"),
          columns("connection"),
          'With --cluster they begin with "member" or "client":',
          columns("member"),
          columns("client"),
        ],
      },
      {
        title: "Counters",
        blocks: [
          `By these names --json has them, and by these names behind
          "anytun_connection_" and "anytun_" also "/metrics" (--metrics of
          anytun(8)). Of each connection:`,
          counters(CONNECTION_COUNTER_INFOS),
          "Of what belongs to no connection:",
          counters(PLANE_COUNTER_INFOS),
        ],
      },
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "Peers that were not heard for three minutes:",
          {
            lines: [
              "anytun status --dump | awk -F '\\t' \\",
              '  -v now="$(date +%s)" \'$1 == "connection" && now - $6 > 180\'',
            ],
          },
        ],
      },
      { title: "See also", blocks: ["anytun(8)"] },
    ],
  };
}

function counters(infos: readonly CounterInfo[]): Block {
  return { terms: infos.map(({ name, help }) => [`"${name}"`, help]) };
}

function columns(kind: keyof typeof DUMP_COLUMNS): Block {
  return {
    terms: DUMP_COLUMNS[kind].map((column, k) =>
      [`${kind} ${k + 1}`, k === 0 ? `"${column}"` : column] as const
    ),
  };
}
