/**
 * The report as an SVG chart for the README.
 *
 * @module
 */

import type { Report } from "./report.ts";
import { threeDigits } from "./table.ts";

/** The metrics that are drawn, with a heading each. */
const PANELS = [
  { metric: "tcp.forward.gbps", title: "TCP through the tunnel, Gbit/s" },
  {
    metric: "tcp.forward.cpu",
    title: "CPU seconds per GB, both daemons (less is better)",
  },
];

// All lengths are in pixels of the drawing.
const WIDTH = 720;
const MARGIN = 20;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 110;
const ROW = 26;
const BAR = 16;
const TITLE = 34;
const FOOT = 30;

/** The drawing brings its own background, so that it is legible anywhere. */
export const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.note { font-size: 11px; fill: #59636e }
.ground { fill: #ffffff }
.ours { fill: #0969da }
.peer { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9198a1 }
  .ground { fill: #0d1117 }
  .ours { fill: #4493f8 }
  .peer { fill: #656c76 }
}
`;

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly ratio: number | undefined;
  readonly ours: boolean;
}

/** Text as XML character data. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** A line of text, with attributes. */
export function text(
  x: number,
  y: number,
  style: string,
  content: string,
): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${style}>` +
    `${escapeXml(content)}</text>`;
}

function barsOf(report: Report, metric: string): Bar[] {
  return report.subjects.flatMap((subject) => {
    const { id, version, ours = false, pair } = subject;
    const label = `${subject.label} ${version}`;
    const value = report.medians[id]?.[metric];
    if (value === undefined || pair !== undefined) return [];
    const ratio = id === report.reference
      ? undefined
      : report.ratios[id]?.[metric];
    return [{ label, value, ratio, ours }];
  });
}

function drawBar(bar: Bar, top: number, scale: number): string[] {
  const left = MARGIN + LABEL_WIDTH;
  const length = Math.max(bar.value * scale, 1);
  const baseline = top + 13;
  const ratio = bar.ratio === undefined ? "" : ` (${threeDigits(bar.ratio)}×)`;
  const figure = threeDigits(bar.value) + ratio;
  const kind = bar.ours ? "ours" : "peer";
  return [
    text(left - 8, baseline, `text-anchor="end"`, bar.label),
    `<rect class="${kind}" x="${left}" y="${top}" ` +
    `width="${length.toFixed(1)}" height="${BAR}" rx="2"/>`,
    text(left + length + 8, baseline, "", figure),
  ];
}

function drawPanel(title: string, bars: readonly Bar[], top: number): string[] {
  const room = WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
  const scale = room / Math.max(...bars.map(({ value }) => value));
  const firstBar = top + TITLE;
  return [
    text(MARGIN, top + 16, `class="title"`, title),
    ...bars.flatMap((bar, row) => drawBar(bar, firstBar + row * ROW, scale)),
  ];
}

function drawNote(report: Report, top: number): string {
  const { cpu, cores, kernel, date } = report.environment;
  const reference = report.subjects.find(({ id }) => id === report.reference);
  const note = [
    `(×): how many times better ${reference?.label ?? "none"} is`,
    `medians of ${report.rounds} rounds`,
    `${cpu}, ${cores} cores, Linux ${kernel}`,
    date.slice(0, 10),
  ].join("; ");
  return text(MARGIN, top + 8, `class="note"`, note);
}

/**
 * Draws a bar for each subject, with its value and how many times better the
 * reference is.
 */
export function renderChart(report: Report): string {
  const parts: string[] = [];
  let top = MARGIN;
  for (const { metric, title } of PANELS) {
    const bars = barsOf(report, metric);
    if (bars.length === 0) continue;
    parts.push(...drawPanel(title, bars, top));
    top += TITLE + bars.length * ROW + MARGIN;
  }
  parts.push(drawNote(report, top));
  const height = top + FOOT;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
    `height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>Throughput and CPU cost of VPN daemons</title>
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>
${parts.join("\n")}
</svg>
`;
}
