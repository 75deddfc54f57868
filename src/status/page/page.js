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
    if (!response.ok) throw new Error(`status ${response.status}`);
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
  const title = device === null ? name : `${name} (${device.name})`;
  document.title = `${title}: anytun`;
  find("title").textContent = title;
  const isWell = isCarrying && state === "running" && health.state === "fit";
  const words = [
    isCarrying ? state : `${state}, does not carry packets`,
    ...health.state === "fit" ? [] : [healthText(health)],
  ];
  find("state").textContent = words.join(", ");
  find("state").className = `state ${isWell ? "good" : "bad"}`;
  find("about").textContent = [
    `for ${durationText((time - started) / 1000)}`,
    `anytun ${report.version}`,
    ...device === null ? [] : [`${device.type}, MTU ${device.mtu}`],
    ...report.plane === null ? [] : [report.plane],
    `listening on ${report.listening.join(", ") || "nothing"}`,
    ...cluster === null ? [] : [clusterText(cluster)],
  ].join("; ");
}

function healthText({ state, reasons }) {
  return reasons.length === 0 ? state : `${state}: ${reasons.join("; ")}`;
}

function clusterText({ servers, clients }) {
  const connected = servers.filter(({ isConnected }) => isConnected).length;
  return `follows ${connected} of ${servers.length} servers, ` +
    `followed by ${clients.length}`;
}

function showChoices(report) {
  const choice = find("choice");
  const wanted = [
    ["all", "all together"],
    ...report.connections.map(({ mux, peer, endpoint }) => [
      String(mux),
      `${mux}: ${peer ?? endpoint ?? "not heard yet"}`,
    ]),
  ];
  const present = Array.from(
    choice.options,
    ({ value, text }) => `${value} ${text}`,
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
  const perSecond = (text) => (value) => `${text(value)}/s`;
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
      `${bytesText(counters[name] ?? 0)}, ${bytesText(rate ?? 0)}/s`;
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
    ? `${others} more connections (--metrics-connections)`
    : report.connectionCount === 0
    ? "no connections"
    : "";
}

function heardText(connection, time) {
  const seconds = silence(connection, time);
  if (seconds === undefined) return "never";
  const text = `${durationText(seconds)} ago`;
  return seconds > SILENT_SECONDS ? `${text} (silent)` : text;
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
  tell(mux, isHeard, `the peer of connection ${mux} ${text}`);
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
