/**
 * The tables of a soak, in Markdown.
 *
 * @module
 */

import {
  fifthsOf,
  median,
  medianOf,
  percent,
  type Sample,
  type SoakRecord,
} from "./record.ts";

const MIB = 2 ** 20;

/** What became of the daemons and of the tunnels, and what was done to them. */
export function renderTables(
  { samples, happenings }: Pick<SoakRecord, "happenings" | "samples">,
): string {
  const [first, last] = fifthsOf(samples);
  const daemons = Object.keys(samples[0]?.daemons ?? {}).map((name) => {
    const before = medianOf(first, name, "resident");
    const after = medianOf(last, name, "resident");
    const descriptors = [first, last]
      .map((part) => medianOf(part, name, "descriptors"));
    return [
      name,
      (before / MIB).toFixed(1),
      (after / MIB).toFixed(1),
      percent(after / before - 1),
      ...descriptors.map(String),
    ];
  });
  const tunnels = Object.keys(samples[0]?.echoes ?? {})
    .map((name) => [name, ...echoesOf(samples, name)]);
  const done = Map.groupBy(happenings, ({ what }) => what).entries()
    .map(([what, times]) => [what, String(times.length)]).toArray();
  return [
    table(
      "daemon | MiB, first fifth | MiB, last fifth | growth | descriptors | at the end",
      daemons,
    ),
    table("tunnel | echo requests | lost | median ms | worst ms", tunnels),
    table("what happened | times", done),
  ].join("\n");
}

function echoesOf(samples: readonly Sample[], name: string): string[] {
  const echoes = samples.flatMap(({ echoes }) => echoes[name] ?? []);
  const sum = (key: "sent" | "lost") =>
    echoes.reduce((total, each) => total + each[key], 0);
  const numbers = (key: "median" | "worst") =>
    echoes.map((each) => each[key]).filter((value) => value !== null);
  return [
    String(sum("sent")),
    String(sum("lost")),
    median(numbers("median")).toFixed(1),
    Math.max(...numbers("worst")).toFixed(0),
  ];
}

function table(head: string, rows: readonly (readonly string[])[]): string {
  const columns = head.split(" | ");
  const rule = columns.map((_, k) => k === 0 ? "---" : "--:");
  return [columns, rule, ...rows]
    .map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}
