// anytun-showtables(8)
import type { Known, Page } from "../page.ts";

export function showtablesPage({ options, help }: Known): Page {
  return {
    name: "anytun-showtables",
    section: 8,
    purpose: "show the clients and routes that a server serves",
    synopsis: [
      '"anytun-showtables" --connect <place> <options>',
      '"anytun" "showtables" --connect <place> <options>',
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-showtables" shows the connections and routes that a server
          with --sync-port, or anytun-controld(8), tells others. To a terminal it
          prints tables, otherwise the lines of the original. It shows no keys.`,
          `Without --connect it reads what a server has sent from standard input,
          as the original does. What it could not read is said on standard error,
          and the exit status is 255 then.`,
          `On one host it asks daemons of root and of the user that it runs as,
          and no others: for those of the package put "runuser -u anytun --" in
          front.`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "Of a control daemon of this host:",
          { lines: ["anytun-showtables -X unix:/run/anytun.sock"] },
        ],
      },
      { title: "See also", blocks: ["anytun(8), anytun-controld(8)"] },
    ],
  };
}
