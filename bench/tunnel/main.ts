/**
 * Measures this program and its peers side by side, in one run on one machine:
 * `deno task bench:tunnel`, as root, on Linux.
 *
 * @module
 */

import { readEnvironment } from "./environment.ts";
import { TestFolder } from "../../lab/daemons.ts";
import { Lab } from "../../lab/lab.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { PeerPrograms } from "./peers.ts";
import {
  directions,
  type Measured,
  medians,
  modes,
  type Omission,
  ranges,
  ratios,
  type Report,
} from "./report.ts";
import { renderChart } from "./chart.ts";
import { type Outcome, type Plan, Runner } from "./runner.ts";
import { SCENARIOS } from "./scenarios/mod.ts";
import type { Subject } from "./subject.ts";
import { allSubjects } from "./subjects/mod.ts";
import {
  renderDirections,
  renderNotes,
  renderSpread,
  renderTable,
} from "./table.ts";
import { renderTargets } from "./targets.ts";

const RESULTS = new URL("../results/", import.meta.url);

/** The programs that measure. */
const TOOLS = ["ethtool", "iperf3", "ping", "taskset"];

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function checkTools(): void {
  const reasons = [whyNoLab(), ...TOOLS.map(missingCommand)];
  const reason = reasons.find((why) => why !== null);
  if (reason !== undefined) throw new Error(`Cannot measure: ${reason}`);
}

/** Sorts the wanted subjects into those that are here and those that are not. */
async function takeStock(subjects: readonly Subject[]): Promise<{
  present: Subject[];
  measured: Measured[];
  omissions: Omission[];
}> {
  const present: Subject[] = [];
  const measured: Measured[] = [];
  const omissions: Omission[] = [];
  for (const subject of subjects) {
    const { id, label, ours, pair, settings } = subject;
    const presence = await subject.presence();
    if ("missing" in presence) {
      omissions.push({ name: label, reason: presence.missing });
      continue;
    }
    present.push(subject);
    const { version } = presence;
    const optional = {
      ...ours && { ours },
      ...pair && { pair },
      ...settings !== undefined && { settings },
    };
    measured.push({ id, label, version, ...optional });
  }
  return { present, measured, omissions };
}

/** Aborts on ^C, on a closed terminal and when asked to end. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      controller.abort(new Error(`Interrupted by ${signal}`));
    });
  }
  return controller.signal;
}

async function save(report: Report, complete: boolean): Promise<void> {
  const stem = complete ? "tunnel" : "tunnel-partial";
  const json = new URL(`${stem}.json`, RESULTS);
  const svg = new URL(`${stem}.svg`, RESULTS);
  await Deno.mkdir(RESULTS, { recursive: true });
  await Deno.writeTextFile(json, JSON.stringify(report, null, 1) + "\n");
  await Deno.writeTextFile(svg, renderChart(report));
  print(`written: bench/results/${stem}.json and .svg`);
}

/** Measures and reports; returns the exit status. */
async function bench(options: Options, all: Subject[]): Promise<number> {
  checkTools();
  const signal = interruption();
  const wanted = all.filter(({ id, extra }) =>
    options.only?.includes(id) ?? extra === undefined
  );
  const scenarios = SCENARIOS.filter(({ name }) =>
    options.scenarios?.includes(name) ?? true
  );
  const { present, measured, omissions } = await takeStock(wanted);
  const { rounds, seconds } = options;
  const environment = await readEnvironment();
  const plan = { subjects: present, scenarios, rounds, seconds, signal };
  const started = performance.now();
  const outcome = await inLab({ ...plan, progress: print });
  const minutes = (performance.now() - started) / 60_000;
  const metrics = scenarios.flatMap((scenario) => scenario.metrics);
  const figures = medians(outcome.samples);
  const subjects = measured.map((subject): Measured => {
    const settings = outcome.planes.get(subject.id);
    return settings === undefined ? subject : { ...subject, settings };
  });
  const reference = measured[0]?.id ?? "";
  const report: Report = {
    environment,
    rounds,
    seconds,
    subjects,
    metrics,
    omissions,
    failures: outcome.failures,
    reference,
    medians: figures,
    ranges: ranges(outcome.samples),
    ratios: ratios(outcome.samples, metrics, reference),
    modes: modes(outcome.samples, subjects),
    directions: directions(figures, measured),
    samples: outcome.samples,
  };
  const parts = [
    renderTable,
    renderSpread,
    renderDirections,
    renderTargets,
    renderNotes,
  ];
  for (const part of parts.map((render) => render(report))) {
    if (part !== "") print(`\n${part}`);
  }
  print(`\ntook ${minutes.toFixed(1)} minutes`);
  await save(report, options.complete);
  return outcome.failures.length === 0 ? 0 : 1;
}

/** The lab goes when a signal comes, and with it all that runs there. */
async function inLab(plan: Plan): Promise<Outcome> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  plan.signal.addEventListener("abort", () => reject(plan.signal.reason));
  using scratch = new TestFolder();
  await using lab = await Lab.open("bench");
  return await Promise.race([
    interrupted,
    new Runner(lab, scratch, plan).run(),
  ]);
}

async function main(): Promise<number> {
  const ids = allSubjects(new PeerPrograms()).map(({ id }) => id);
  const scenarios = [...new Set(SCENARIOS.map(({ name }) => name))];
  const options = parseOptions(Deno.args, ids, scenarios);
  if (options.help) {
    print(USAGE);
    print(`programs: ${ids.join(" ")}`);
    print(`scenarios: ${scenarios.join(" ")}`);
    return 0;
  }
  return await bench(options, allSubjects(new PeerPrograms(options.peers)));
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
