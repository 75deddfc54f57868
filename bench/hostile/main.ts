/**
 * This program and its peers under attack and among faults, side by side:
 * `deno task bench:hostile`, as root, on Linux.
 *
 * @module
 */

import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { readEnvironment } from "../tunnel/environment.ts";
import { PeerPrograms } from "../tunnel/peers.ts";
import { allContenders, type Contender } from "./contender.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import {
  type Asked,
  renderMarkdown,
  renderNotes,
  type Report,
  withTables,
} from "./report.ts";
import { runAll } from "./runner.ts";
import { SCENARIOS } from "./scenarios/mod.ts";

const RESULTS = new URL("../results/", import.meta.url);

/** The file of all tables. */
const COMPLETE = "hostile";

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Sorts the wanted into those that are here and those that are not. */
async function takeStock(wanted: readonly Contender[]) {
  const present: Contender[] = [];
  const asked: Asked[] = [];
  const omissions: { name: string; reason: string }[] = [];
  for (const contender of wanted) {
    const { id, label } = contender;
    const presence = await contender.presence();
    if ("missing" in presence) {
      omissions.push({ name: label, reason: presence.missing });
      continue;
    }
    present.push(contender);
    asked.push({ id, label, version: presence.version });
  }
  return { present, asked, omissions };
}

/** Aborts on ^C, on a closed terminal and when asked to end. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      controller.abort(new Error(`Interrupted by ${signal}`));
    });
  }
  return controller.signal;
}

/** Measures and reports; returns the exit status. */
async function bench(options: Options): Promise<number> {
  const reason = whyNoLab() ?? missingCommand("ping");
  if (reason !== null) throw new Error(`Cannot measure: ${reason}`);
  const { seconds, pauseSeconds, part, only, complete } = options;
  const everybody = allContenders(new PeerPrograms(options.peers));
  const wanted = everybody.filter(({ id }) => only?.includes(id) ?? true);
  const { present, asked, omissions } = await takeStock(wanted);
  const scenarios = SCENARIOS.filter(({ name }) =>
    options.scenarios?.includes(name) ?? true
  );
  const environment = await readEnvironment();
  const started = performance.now();
  const { cells, failures } = await runAll({
    ...{ contenders: present, scenarios, seconds, pauseSeconds, part },
    ...{ signal: interruption(), progress: print },
  });
  const minutes = (performance.now() - started) / 60_000;
  const tables = scenarios.map(({ name, title, text, figures }) => ({
    ...{ name, title, text, figures },
  }));
  const report: Report = {
    ...{ environment, seconds, pauseSeconds },
    ...{ contenders: asked, omissions, tables, cells, failures },
  };
  print(`\n${renderMarkdown(report)}\n\n${renderNotes(report)}`);
  print(`took ${minutes.toFixed(1)} minutes`);
  // First: what was measured stays, also where it cannot be joined.
  await save(report, complete ? COMPLETE : `${COMPLETE}-partial`);
  if (options.join && failures.length === 0) await join(report);
  return failures.length === 0 ? 0 : 1;
}

function readReport(): Report {
  return JSON.parse(
    Deno.readTextFileSync(new URL(`${COMPLETE}.json`, RESULTS)),
  );
}

async function join(report: Report): Promise<void> {
  const names = SCENARIOS.map(({ name }) => name);
  await save(withTables(readReport(), report, names), COMPLETE);
}

async function save(report: Report, stem: string): Promise<void> {
  await Deno.mkdir(RESULTS, { recursive: true });
  const path = new URL(`${stem}.json`, RESULTS);
  await Deno.writeTextFile(path, JSON.stringify(report, null, 1) + "\n");
  print(`written: bench/results/${stem}.json`);
}

async function main(): Promise<number> {
  const ids = allContenders(new PeerPrograms()).map(({ id }) => id);
  const scenarios = SCENARIOS.map(({ name }) => name);
  const options = parseOptions(Deno.args, ids, scenarios);
  if (options.help) {
    print(USAGE);
    print(`programs: ${ids.join(" ")}`);
    print(`scenarios: ${scenarios.join(" ")}`);
  } else if (options.markdown) {
    print(renderMarkdown(readReport()));
  } else {
    return await bench(options);
  }
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
