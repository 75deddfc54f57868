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
const LABEL_WIDTH = 130;
const VALUE_WIDTH = 110;
const ROW = 26;
const BAR = 16;
const TITLE = 34;
const FOOT = 30;

/** The drawing brings its own background, so that it is legible anywhere. */
const STYLE = `
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
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly ratio: number | undefined;
}

/** Text as XML character data. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

function barsOf(report: Report, metric: string): Bar[] {
  return report.subjects.flatMap(({ id, label, pair }) => {
    if (pair !== undefined) return [];
    const value = report.medians[id]?.[metric];
    const ratio = report.ratios[id]?.[metric];
    return value === undefined ? [] : [{ id, label, value, ratio }];
  });
}

function drawBar(bar: Bar, top: number, scale: number, ours: boolean): string {
  const left = MARGIN + LABEL_WIDTH;
  const length = Math.max(bar.value * scale, 1);
  const baseline = top + 13;
  const ratio = ours || bar.ratio === undefined
    ? ""
    : `  (${threeDigits(bar.ratio)}×)`;
  const text = escapeXml(threeDigits(bar.value) + ratio);
  return [
    `<text x="${left - 8}" y="${baseline}" text-anchor="end">` +
    `${escapeXml(bar.label)}</text>`,
    `<rect class="${ours ? "ours" : "peer"}" x="${left}" y="${top}" ` +
    `width="${length.toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<text x="${
      (left + length + 8).toFixed(1)
    }" y="${baseline}">${text}</text>`,
  ].join("\n");
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
    const room = WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
    const scale = room / Math.max(...bars.map(({ value }) => value));
    parts.push(
      `<text class="title" x="${MARGIN}" y="${top + 16}">${title}</text>`,
    );
    top += TITLE;
    for (const bar of bars) {
      parts.push(drawBar(bar, top, scale, bar.id === report.reference));
      top += ROW;
    }
    top += MARGIN;
  }
  const { cpu, cores, kernel, date } = report.environment;
  const note = `${cpu}, ${cores} cores, Linux ${kernel}, ${date.slice(0, 10)}` +
    `; medians of ${report.rounds} rounds`;
  parts.push(
    `<text class="note" x="${MARGIN}" y="${top + 8}">${escapeXml(note)}</text>`,
  );
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
