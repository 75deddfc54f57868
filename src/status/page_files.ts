// The files in src/status/page, by path; made by deno task page.
import type { Response } from "./response.ts";

export const PAGE_FILES: Readonly<Record<string, Omit<Response, "status">>> = {
  "/chart.js": {
    type: "text/javascript; charset=utf-8",
    body: `\
// A chart over time: lines, what they are now, and the same as a table.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 120;

/** Rows of the table: so many moments of all. */
const ROWS = 10;

/** How many moments there is room for at the least. */
const SHORTEST = 15;

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, String(value));
  }
  return made;
}

export class Chart {
  #title;
  #seconds;
  #least;
  #plot = drawn("svg", {
    class: "plot",
    viewBox: \`0 0 \${WIDTH} \${HEIGHT}\`,
    preserveAspectRatio: "none",
    role: "img",
  });
  #most = element("span");
  #ago = element("span");
  #legend = element("ul", { class: "legend" });
  #head = element("tr");
  #body = element("tbody");

  /**
   * @param seconds Between two moments
   * @param least What the scale reaches at the least
   */
  constructor(parent, title, seconds, least) {
    this.#title = title;
    this.#seconds = seconds;
    this.#least = least;
    const id = \`chart-\${title.toLowerCase().replaceAll(/\\W+/g, "-")}\`;
    const heading = element("h2", { id }, title);
    const table = element(
      "table",
      { "aria-labelledby": id },
      element("thead", {}, this.#head),
      this.#body,
    );
    const scroll = element(
      "div",
      { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": id },
      table,
    );
    const details = element(
      "details",
      {},
      element("summary", {}, "As a table"),
      scroll,
    );
    parent.append(element(
      "section",
      { "aria-labelledby": id },
      heading,
      element("p", { class: "scale" }, this.#most),
      this.#plot,
      element("p", { class: "scale" }, this.#ago, element("span", {}, "now")),
      this.#legend,
      details,
    ));
  }

  /**
   * @param series Of each its name, and values, of which the last one is now;
   * undefined where there is none
   * @param text What to write for a value
   */
  draw(series, text) {
    const values = series.flatMap(({ values }) => values)
      .filter((value) => value !== undefined);
    const most = Math.max(0, ...values);
    const scale = Math.max(this.#least, most);
    const lengths = series.map(({ values }) => values.length);
    const length = Math.max(SHORTEST, ...lengths);
    this.#most.textContent = \`at most \${text(most)}\`;
    this.#ago.textContent = \`\${(length - 1) * this.#seconds} s ago\`;
    this.#plot.replaceChildren(
      drawn("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      ...series.map(({ values }, k) =>
        drawn("path", {
          class: \`series-\${k + 1}\`,
          d: pathOf(values, length, scale),
        })
      ),
    );
    const now = series.map(({ name, values }) =>
      \`\${name}: \${written(values.at(-1), text)}\`
    );
    const summary = now.join(", ") || "nothing yet";
    this.#plot.setAttribute(
      "aria-label",
      \`\${this.#title}, \${summary}, at most \${text(most)}\`,
    );
    const lines = now.length > 0
      ? now.map(legendLine)
      : [element("li", {}, "-")];
    this.#legend.replaceChildren(...lines);
    this.#fillTable(series, text);
  }

  #fillTable(series, text) {
    const cells = series.map(({ name }) =>
      element("th", { scope: "col" }, name)
    );
    this.#head.replaceChildren(
      element("th", { scope: "col" }, "Seconds ago"),
      ...cells,
    );
    const length = Math.max(0, ...series.map(({ values }) => values.length));
    const step = Math.max(1, Math.ceil(length / ROWS));
    const rows = [];
    for (let ago = 0; ago < length; ago += step) {
      rows.push(element(
        "tr",
        {},
        element("th", { scope: "row" }, String(ago * this.#seconds)),
        ...series.map(({ values }) =>
          element("td", {}, written(values.at(-1 - ago), text))
        ),
      ));
    }
    this.#body.replaceChildren(...rows);
  }
}

/** The last value is at the right; where there is none, the line is open. */
function pathOf(values, length, scale) {
  const first = length - values.length;
  let isOpen = false;
  return values.map((value, k) => {
    if (value === undefined) {
      isOpen = false;
      return "";
    }
    const x = (first + k) / (length - 1) * WIDTH;
    const y = HEIGHT - 2 - value / scale * (HEIGHT - 4);
    const command = isOpen ? "L" : "M";
    isOpen = true;
    return \`\${command}\${x.toFixed(1)} \${y.toFixed(1)}\`;
  }).join("");
}

function written(value, text) {
  return value === undefined ? "-" : text(value);
}

function legendLine(text, k) {
  const key = drawn("svg", {
    class: "key",
    viewBox: "0 0 40 8",
    "aria-hidden": "true",
  });
  key.append(drawn("path", { class: \`series-\${k + 1}\`, d: "M0 4L40 4" }));
  return element("li", {}, key, text);
}
`,
  },
  "/history.js": {
    type: "text/javascript; charset=utf-8",
    body: `\
// What reports say one after the other: rates of each moment.

/** Five minutes. */
const LENGTH = 150;

/** Seconds without a datagram after which a peer is called silent. */
export const SILENT_SECONDS = 60;

/** By a mux, or for \`all\`: a list of moments, the last one is now. */
export class History {
  #losses;
  #last;
  #tracks = new Map();
  /** Connections of a report by their mux: there may be thousands. */
  #byMux = new WeakMap();

  /** @param losses Names and texts of counters, as /losses.json has them */
  constructor(losses) {
    this.#losses = losses;
  }

  get last() {
    return this.#last;
  }

  of(choice) {
    return this.#tracks.get(choice) ?? [];
  }

  /** A daemon that was started anew has counters that begin anew. */
  add(report) {
    const last = this.#last;
    if (last !== undefined && last.pid !== report.pid) this.#tracks.clear();
    const isNext = last?.pid === report.pid && report.time > last.time;
    if (last?.pid === report.pid && !isNext) return;
    this.#last = report;
    if (!isNext) return;
    const seconds = (report.time - last.time) / 1000;
    this.#note("all", this.#momentOfAll(report, last, seconds));
    for (const connection of report.connections) {
      const choice = String(connection.mux);
      const earlier = this.#connection(last, choice);
      if (earlier === undefined) continue;
      const moment = {
        ...traffic(connection.counters, earlier.counters, seconds),
        ...this.#causes(report, last, choice, seconds),
        silence: silence(connection, report.time),
        routes: connection.routes.length,
      };
      this.#note(choice, moment);
    }
    for (const choice of this.#tracks.keys()) {
      const isGone = choice !== "all" &&
        this.#connection(report, choice) === undefined;
      if (isGone) this.#tracks.delete(choice);
    }
  }

  /** The causes of what was lost, and how much of each. */
  lossesOf(report, choice) {
    const { connection, plane } = this.#losses;
    if (choice === "all") {
      return [
        ...amounts(connection, report.totals),
        ...amounts(plane, report.counters),
      ];
    }
    const chosen = this.#connection(report, choice);
    return amounts(connection, chosen?.counters ?? {});
  }

  #connection(report, choice) {
    let byMux = this.#byMux.get(report);
    if (byMux === undefined) {
      byMux = new Map(report.connections.map((one) => [String(one.mux), one]));
      this.#byMux.set(report, byMux);
    }
    return byMux.get(choice);
  }

  #momentOfAll(report, last, seconds) {
    const silences = report.connections
      .map((one) => silence(one, report.time))
      .filter((one) => one !== undefined);
    return {
      ...traffic(report.totals, last.totals, seconds),
      ...this.#causes(report, last, "all", seconds),
      // The longest: who is looked for is the one that is not there.
      silence: silences.length === 0 ? undefined : Math.max(...silences),
      routes: sum(report.connections.map(({ routes }) => routes.length)),
    };
  }

  #causes(report, last, choice, seconds) {
    const then = this.lossesOf(last, choice);
    const rates = this.lossesOf(report, choice).map(({ text, amount }, k) => [
      text,
      Math.max(0, amount - (then[k]?.amount ?? 0)) / seconds,
    ]);
    return { causes: new Map(rates) };
  }

  #note(choice, moment) {
    const track = this.of(choice);
    this.#tracks.set(choice, [...track.slice(1 - LENGTH), moment]);
  }
}

/** Seconds since the peer was heard; undefined for never. */
export function silence({ lastHeard }, time) {
  return lastHeard === null
    ? undefined
    : Math.max(0, (time - lastHeard) / 1000);
}

function amounts(causes, counters) {
  return causes.map(({ name, text }) => ({
    name,
    text,
    amount: counters[name] ?? 0,
  }));
}

function traffic(now, then, seconds) {
  const rate = (name) =>
    Math.max(0, (now[name] ?? 0) - (then[name] ?? 0)) / seconds;
  return {
    out: rate("bytes_out_total"),
    in: rate("bytes_in_total"),
    packets: rate("packets_out_total") + rate("packets_in_total"),
  };
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}
`,
  },
  "/": {
    type: "text/html; charset=utf-8",
    body: `\
<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>anytun</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/page.css">
    <script type="module" src="/page.js"></script>
  </head>
  <body>
    <a class="skip" href="#main">To the content</a>
    <header>
      <h1 id="title">anytun</h1>
      <p id="state" class="state">waiting for the first answer</p>
      <p id="about"></p>
    </header>
    <nav aria-label="What is shown">
      <label for="choice">Connection</label>
      <select id="choice">
        <option value="all">all together</option>
      </select>
      <button id="pause" type="button" aria-pressed="false">Pause</button>
    </nav>
    <p id="news" class="news" role="status" aria-live="polite"></p>
    <noscript>
      <p>
        This page draws with JavaScript. The same numbers are at
        <a href="/status.json">/status.json</a> and
        <a href="/metrics">/metrics</a>.
      </p>
    </noscript>
    <main id="main" tabindex="-1">
      <div id="charts" class="charts"></div>
      <section aria-labelledby="connections-title">
        <h2 id="connections-title">Connections</h2>
        <div
          class="scroll"
          role="region"
          tabindex="0"
          aria-labelledby="connections-title"
        >
          <table id="connections">
            <thead>
              <tr>
                <th scope="col">Mux</th>
                <th scope="col">Peer</th>
                <th scope="col">Endpoint</th>
                <th scope="col">Last heard</th>
                <th scope="col">Sent</th>
                <th scope="col">Received</th>
                <th scope="col">Lost</th>
                <th scope="col">Key epoch</th>
                <th scope="col">Routes</th>
              </tr>
            </thead>
            <tbody></tbody>
          </table>
        </div>
        <p id="others"></p>
      </section>
      <section aria-labelledby="losses-title">
        <h2 id="losses-title">Lost since the start, by cause</h2>
        <div
          class="scroll"
          role="region"
          tabindex="0"
          aria-labelledby="losses-title"
        >
          <table id="losses">
            <thead>
              <tr>
                <th scope="col">Cause</th>
                <th scope="col">Number</th>
              </tr>
            </thead>
            <tbody></tbody>
          </table>
        </div>
      </section>
    </main>
    <footer>
      <p>
        Nothing can be changed from here. The same numbers:
        <a href="/metrics">/metrics</a>,
        <a href="/status.json">/status.json</a>,
        <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>.
      </p>
    </footer>
  </body>
</html>
`,
  },
  "/page.css": {
    type: "text/css; charset=utf-8",
    body: `\
:root {
  --ground: #fbfbf9;
  --raised: #ffffff;
  --ink: #1c1f23;
  --faint: #565d66;
  --line: #d5d8dc;
  --focus: #0b57d0;
  --good: #0a6b3b;
  --bad: #a8201a;
  --series-1: #0b57d0;
  --series-2: #a14a00;
  --series-3: #7a2d8c;
  --series-4: #0a6b3b;
  --series-5: #a8201a;
  --series-6: #565d66;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15181c;
    --raised: #1d2126;
    --ink: #eceef0;
    --faint: #aab1ba;
    --line: #3a4149;
    --focus: #8ab4f8;
    --good: #6fd3a0;
    --bad: #ff9c92;
    --series-1: #8ab4f8;
    --series-2: #ffb77a;
    --series-3: #d9a2ea;
    --series-4: #6fd3a0;
    --series-5: #ff9c92;
    --series-6: #aab1ba;
  }
}

* {
  box-sizing: border-box;
}

body {
  margin: 0 auto;
  max-width: 75rem;
  padding: 1rem;
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.45 system-ui, sans-serif;
}

h1,
h2,
p {
  margin: 0;
}

h1 {
  font-size: 1.5rem;
  overflow-wrap: anywhere;
}

h2 {
  font-size: 1.05rem;
}

a {
  color: var(--focus);
}

:focus-visible {
  outline: 3px solid var(--focus);
  outline-offset: 2px;
}

.skip {
  position: absolute;
  left: -100vw;
}

.skip:focus {
  left: 1rem;
  top: 0.5rem;
  padding: 0.5rem;
  background: var(--raised);
}

header {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 1rem;
  align-items: baseline;
}

#about {
  flex-basis: 100%;
  color: var(--faint);
  overflow-wrap: anywhere;
}

.state {
  padding: 0 0.5rem;
  border: 2px solid currentColor;
  border-radius: 0.3rem;
  font-weight: 600;
}

.good {
  color: var(--good);
}

.bad {
  color: var(--bad);
}

nav {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem;
  align-items: center;
  margin: 0.75rem 0;
}

select,
button {
  min-height: 2.5rem;
  max-width: 100%;
  padding: 0.25rem 0.75rem;
  border: 1px solid var(--faint);
  border-radius: 0.3rem;
  background: var(--raised);
  color: var(--ink);
  font: inherit;
}

.news {
  min-height: 1.45em;
}

.charts {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr));
  gap: 1rem;
}

section {
  margin: 1rem 0 0;
}

.charts section {
  margin: 0;
  min-width: 0;
  padding: 0.75rem;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
  background: var(--raised);
}

.plot {
  display: block;
  width: 100%;
  height: 8rem;
  margin-top: 0.5rem;
  border-bottom: 1px solid var(--faint);
}

.plot line {
  stroke: var(--line);
  vector-effect: non-scaling-stroke;
}

.plot path,
.key path {
  fill: none;
  stroke-width: 2px;
  stroke-linejoin: round;
  vector-effect: non-scaling-stroke;
}

.scale {
  display: flex;
  justify-content: space-between;
  color: var(--faint);
  font-size: 0.85rem;
}

.legend {
  margin: 0.4rem 0;
  padding: 0;
  list-style: none;
}

.key {
  width: 2.5rem;
  height: 0.6rem;
  margin-right: 0.5rem;
}

.series-1 {
  stroke: var(--series-1);
}

.series-2 {
  stroke: var(--series-2);
  stroke-dasharray: 7 3;
}

.series-3 {
  stroke: var(--series-3);
  stroke-dasharray: 2 3;
}

.series-4 {
  stroke: var(--series-4);
  stroke-dasharray: 9 3 2 3;
}

.series-5 {
  stroke: var(--series-5);
  stroke-dasharray: 5 5;
}

.series-6 {
  stroke: var(--series-6);
  stroke-dasharray: 12 4;
}

summary {
  cursor: pointer;
}

.scroll {
  overflow-x: auto;
}

table {
  width: 100%;
  margin-top: 0.4rem;
  border-collapse: collapse;
  font-variant-numeric: tabular-nums;
}

th,
td {
  padding: 0.3rem 0.6rem;
  border-bottom: 1px solid var(--line);
  text-align: left;
  vertical-align: top;
  white-space: nowrap;
}

td.wide {
  min-width: 8rem;
  white-space: normal;
  overflow-wrap: anywhere;
}

footer {
  margin-top: 1.5rem;
  color: var(--faint);
}
`,
  },
  "/page.js": {
    type: "text/javascript; charset=utf-8",
    body: `\
// The page: asks for a report every two seconds, and draws what it says.
import { Chart, element } from "./chart.js";
import { History, silence, SILENT_SECONDS } from "./history.js";
import { bytesText, durationText, rateText, routesText } from "./text.js";

const EVERY_MS = 2000;
/** As many causes as there are kinds of lines. */
const CAUSES = 6;

const find = (id) => document.getElementById(id);
const losses = await (await fetch("/losses.json")).json();
const history = new History(losses);
const charts = Object.fromEntries(
  [
    ["throughput", "Throughput", 1024],
    ["loss", "Loss", 1],
    ["causes", "Drops by cause", 1],
    ["heard", "Last heard", 10],
    ["routes", "Routes", 1],
  ].map(([key, title, least]) => [
    key,
    new Chart(find("charts"), title, EVERY_MS / 1000, least),
  ]),
);
let isPaused = false;
/** What was announced, by mux, and for the daemon. */
const told = new Map();

async function look() {
  if (isPaused) return;
  try {
    const response = await fetch("/status.json", { cache: "no-store" });
    if (!response.ok) throw new Error(\`status \${response.status}\`);
    const report = await response.json();
    if (isPaused) return;
    history.add(report);
    tell("daemon", true, "the daemon answers again");
    show();
  } catch {
    const state = find("state");
    state.textContent = "does not answer";
    state.className = "state bad";
    tell("daemon", false, "the daemon does not answer");
  }
}

function show() {
  const report = history.last;
  if (report === undefined) return;
  showHead(report);
  showChoices(report);
  showCharts(find("choice").value);
  showConnections(report);
  showLosses(report, find("choice").value);
  for (const connection of report.connections) watch(connection, report.time);
}

function showHead(report) {
  const { name, device, state, isCarrying, cluster, health, started, time } =
    report;
  const title = device === null ? name : \`\${name} (\${device.name})\`;
  document.title = \`\${title}: anytun\`;
  find("title").textContent = title;
  const isWell = isCarrying && state === "running" && health.state === "fit";
  const words = [
    isCarrying ? state : \`\${state}, does not carry packets\`,
    ...health.state === "fit" ? [] : [healthText(health)],
  ];
  find("state").textContent = words.join(", ");
  find("state").className = \`state \${isWell ? "good" : "bad"}\`;
  find("about").textContent = [
    \`for \${durationText((time - started) / 1000)}\`,
    \`anytun \${report.version}\`,
    ...device === null ? [] : [\`\${device.type}, MTU \${device.mtu}\`],
    ...report.plane === null ? [] : [report.plane],
    \`listening on \${report.listening.join(", ") || "nothing"}\`,
    ...cluster === null ? [] : [clusterText(cluster)],
  ].join("; ");
}

function healthText({ state, reasons }) {
  return reasons.length === 0 ? state : \`\${state}: \${reasons.join("; ")}\`;
}

function clusterText({ servers, clients }) {
  const connected = servers.filter(({ isConnected }) => isConnected).length;
  return \`follows \${connected} of \${servers.length} servers, \` +
    \`followed by \${clients.length}\`;
}

function showChoices(report) {
  const choice = find("choice");
  const wanted = [
    ["all", "all together"],
    ...report.connections.map(({ mux, peer, endpoint }) => [
      String(mux),
      \`\${mux}: \${peer ?? endpoint ?? "not heard yet"}\`,
    ]),
  ];
  const present = Array.from(
    choice.options,
    ({ value, text }) => \`\${value} \${text}\`,
  );
  if (present.join() === wanted.map((one) => one.join(" ")).join()) return;
  const { value } = choice;
  choice.replaceChildren(
    ...wanted.map(([value, text]) => element("option", { value }, text)),
  );
  choice.value = wanted.some(([one]) => one === value) ? value : "all";
}

function showCharts(choice) {
  const track = history.of(choice);
  const values = (of) => track.map(of);
  const perSecond = (text) => (value) => \`\${text(value)}/s\`;
  charts.throughput.draw([
    { name: "sent", values: values((one) => one.out) },
    { name: "received", values: values((one) => one.in) },
  ], perSecond(bytesText));
  const causes = [...track.at(-1)?.causes.keys() ?? []];
  const lost = (one) => [...one.causes.values()].reduce((a, b) => a + b, 0);
  charts.loss.draw(
    [{ name: "lost", values: values(lost) }],
    perSecond(rateText),
  );
  const seen = causes
    .map((name) => ({
      name,
      values: values((one) => one.causes.get(name) ?? 0),
    }))
    .filter(({ values }) => values.some((value) => value > 0))
    .slice(0, CAUSES);
  charts.causes.draw(seen, perSecond(rateText));
  const title = choice === "all" ? "longest silence" : "silence";
  charts.heard.draw(
    [{ name: title, values: values((one) => one.silence) }],
    durationText,
  );
  charts.routes.draw(
    [{ name: "routes", values: values((one) => one.routes) }],
    (number) => String(number),
  );
}

function showConnections(report) {
  const rows = report.connections.map((connection) => {
    const { mux, counters, endpoint, keyEpoch, peer, routes } = connection;
    const now = history.of(String(mux)).at(-1);
    const amount = (name, rate) =>
      \`\${bytesText(counters[name] ?? 0)}, \${bytesText(rate ?? 0)}/s\`;
    const lost = history.lossesOf(report, String(mux))
      .reduce((sum, { amount }) => sum + amount, 0);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, String(mux)),
      element("td", {}, peer ?? "-"),
      element("td", {}, endpoint ?? "-"),
      element("td", {}, heardText(connection, report.time)),
      element("td", {}, amount("bytes_out_total", now?.out)),
      element("td", {}, amount("bytes_in_total", now?.in)),
      element("td", {}, String(lost)),
      element("td", {}, keyEpoch === null ? "-" : String(keyEpoch)),
      element("td", { class: "wide" }, routesText(routes)),
    );
  });
  find("connections").tBodies[0].replaceChildren(...rows);
  const others = report.connectionCount - report.connections.length;
  find("others").textContent = others > 0
    ? \`\${others} more connections (--metrics-connections)\`
    : report.connectionCount === 0
    ? "no connections"
    : "";
}

function heardText(connection, time) {
  const seconds = silence(connection, time);
  if (seconds === undefined) return "never";
  const text = \`\${durationText(seconds)} ago\`;
  return seconds > SILENT_SECONDS ? \`\${text} (silent)\` : text;
}

function showLosses(report, choice) {
  const rows = history.lossesOf(report, choice).filter(({ amount }) =>
    amount > 0
  )
    .map(({ text, amount }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, text),
        element("td", {}, String(amount)),
      )
    );
  const none = element("tr", {}, element("td", { colspan: "2" }, "nothing"));
  find("losses").tBodies[0].replaceChildren(...rows.length > 0 ? rows : [none]);
}

/** Says what has changed, and nothing else, to who listens to the page. */
function watch(connection, time) {
  const seconds = silence(connection, time);
  if (seconds === undefined) return;
  const { mux } = connection;
  const isHeard = seconds <= SILENT_SECONDS;
  const text = isHeard ? "is heard again" : "is silent";
  tell(mux, isHeard, \`the peer of connection \${mux} \${text}\`);
}

function tell(what, isWell, text) {
  const before = told.get(what) ?? true;
  told.set(what, isWell);
  if (before !== isWell) find("news").textContent = text;
}

find("choice").addEventListener("change", show);
find("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  find("pause").setAttribute("aria-pressed", String(isPaused));
});
await look();
setInterval(look, EVERY_MS);
`,
  },
  "/text.js": {
    type: "text/javascript; charset=utf-8",
    body: `\
// Amounts as people read them, on the page and in the table.

const KIBI = 1024;
const PREFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/**
 * Such as \`1.2 MiB\`.
 * @param {number} bytes
 * @returns {string}
 */
export function bytesText(bytes) {
  let amount = bytes;
  let power = 0;
  // What would be rounded up to 1024 is one of the next size.
  while (amount >= KIBI - 0.5 && power < PREFIXES.length - 1) {
    amount /= KIBI;
    power++;
  }
  const digits = power > 0 && amount < 99.95 ? 1 : 0;
  return \`\${amount.toFixed(digits)} \${PREFIXES[power]}B\`;
}

const UNITS = [
  { size: 86_400, name: "d" },
  { size: 3600, name: "h" },
  { size: 60, name: "min" },
  { size: 1, name: "s" },
];

/**
 * The two largest units, such as \`3 h 12 min\`.
 * @param {number} seconds
 * @returns {string}
 */
export function durationText(seconds) {
  let rest = Math.max(0, Math.floor(seconds));
  const texts = UNITS.map(({ size, name }) => {
    const amount = Math.floor(rest / size);
    rest %= size;
    return { amount, text: \`\${amount} \${name}\` };
  });
  const first = texts.findIndex(({ amount }) => amount > 0);
  if (first < 0) return "0 s";
  return texts.slice(first, first + 2).filter(({ amount }) => amount > 0)
    .map(({ text }) => text).join(" ");
}

/**
 * Such as \`0.5\` or \`1200\`, of a second.
 * @param {number} number
 * @returns {string}
 */
export function rateText(number) {
  return number === 0 || number >= 10 ? number.toFixed(0) : number.toFixed(1);
}

/** Others tell of routes by the thousand. */
const MOST_ROUTES = 20;

/** Such as \`10.0.0.0/8, 10.1.0.0/16 and 3 more\`. */
export function routesText(routes) {
  const shown = routes.slice(0, MOST_ROUTES).join(", ") || "-";
  const more = routes.length - MOST_ROUTES;
  return more > 0 ? \`\${shown} and \${more} more\` : shown;
}
`,
  },
};
