/**
 * A soak as an SVG chart: lines over time.
 *
 * @module
 */

import { STYLE, text } from "../tunnel/chart.ts";
import type { Sample } from "./record.ts";

// All lengths are in pixels of the drawing.
const WIDTH = 720;
const MARGIN = 20;
const AXIS = 60;
const PANEL = 130;
const TITLE = 28;
const LEGEND_COLUMNS = 4;

const COLOURS = [
  ...["#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#57606a"],
  "#bf3989",
];

interface Line {
  readonly name: string;
  /** undefined where there is none. */
  readonly valueOf: (sample: Sample) => number | undefined;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

function panelsOf(samples: readonly Sample[]): Panel[] {
  const [first] = samples;
  const daemons = Object.keys(first?.daemons ?? {});
  const tunnels = Object.keys(first?.echoes ?? {});
  return [
    {
      title: "Resident memory, MiB",
      lines: daemons.map((name) => ({
        name,
        valueOf: ({ daemons }) => (daemons[name]?.resident ?? 0) / 2 ** 20,
      })),
    },
    {
      title: "Descriptors",
      lines: daemons.map((name) => ({
        name,
        valueOf: ({ daemons }) => daemons[name]?.descriptors,
      })),
    },
    {
      title: "Round trip, ms: median, and worst",
      lines: tunnels.flatMap((name): Line[] => [
        { name, valueOf: ({ echoes }) => echoes[name]?.median ?? undefined },
        {
          name: `${name}, worst`,
          valueOf: ({ echoes }) => echoes[name]?.worst ?? undefined,
        },
      ]),
    },
    {
      title: "Echo requests lost, %",
      lines: tunnels.map((name) => ({
        name,
        valueOf: ({ echoes }) => {
          const { lost = 0, sent = 1 } = echoes[name] ?? {};
          return 100 * lost / Math.max(1, sent);
        },
      })),
    },
  ];
}

function drawPanel(
  { title, lines }: Panel,
  samples: readonly Sample[],
  top: number,
): string[] {
  const values = lines.flatMap(({ valueOf }) =>
    samples.map(valueOf).filter((value) => value !== undefined)
  );
  const highest = Math.max(1, ...values);
  const end = Math.max(1, samples.at(-1)?.seconds ?? 1);
  const left = MARGIN + AXIS;
  const height = PANEL - TITLE;
  const x = (seconds: number) => left + seconds / end * (WIDTH - left - MARGIN);
  const y = (value: number) => top + TITLE + height * (1 - value / highest);
  return [
    text(MARGIN, top + 14, `class="title"`, title),
    text(left - 8, y(highest) + 10, `text-anchor="end"`, round(highest)),
    text(left - 8, y(0), `text-anchor="end"`, "0"),
    ...lines.flatMap(({ name, valueOf }, k) => {
      const colour = COLOURS[k % COLOURS.length] ?? "";
      const points = samples.flatMap((sample) => {
        const value = valueOf(sample);
        if (value === undefined) return [];
        return [`${x(sample.seconds).toFixed(1)},${y(value).toFixed(1)}`];
      });
      const at = left + 190 + k % LEGEND_COLUMNS * 110;
      const legend = `class="note" style="fill:${colour}"`;
      return [
        text(at, top + 4 + Math.floor(k / LEGEND_COLUMNS) * 12, legend, name),
        `<polyline fill="none" stroke="${colour}" points="${
          points.join(" ")
        }"/>`,
      ];
    }),
  ];
}

function round(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** Draws memory, descriptors, round trips and losses. */
export function renderChart(samples: readonly Sample[]): string {
  const panels = panelsOf(samples);
  const step = PANEL + MARGIN;
  const parts = panels.flatMap((panel, k) =>
    drawPanel(panel, samples, MARGIN + k * step)
  );
  const height = MARGIN + panels.length * step + MARGIN;
  const minutes = Math.round((samples.at(-1)?.seconds ?? 0) / 60);
  const note = `time from the left to the right: ${minutes} minutes`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
    `height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>Daemons over time</title>
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>
${parts.join("\n")}
${text(MARGIN, height - 10, `class="note"`, note)}
</svg>
`;
}
