// The program `anytun-status`: what daemons of this host tell of themselves.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  readStatusCommandLine,
  type StatusForm,
  type StatusProgramOptions,
} from "../config/status_program.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { LocalStreams } from "../daemon/local_streams.ts";
import { reasonOf } from "../log/reason.ts";
import { delay } from "../net/delay.ts";
import { askReport } from "../status/client.ts";
import { dumpLines } from "../status/dump.ts";
import type { Report } from "../status/report.ts";
import { tableLines } from "../status/table.ts";
import { visible, visibleJson } from "../log/visible.ts";
import { allSockets, socketOf, whyNoAnswer } from "./daemon_sockets.ts";
import { HOME_AND_CLEAR, printCommandLine, printTo } from "./print.ts";

/** Between two reports, for rates. */
const RATE_MS = 1000;
const WATCH_MS = 2000;

/** Runs the program, with `--watch` without end. */
export async function status(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const commandLine = readStatusCommandLine(argv, Deno.version);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { form, names, watch } = commandLine.options;
  await using streams = new LocalStreams(libc);
  const asker = new Asker(streams, names, libc);
  let before: Asked | undefined;
  for (;;) {
    // What is known of the traffic in between takes two looks.
    if (before === undefined && form === "table") {
      before = await asker.ask();
      if (before.reports.size > 0) await delay(RATE_MS);
    }
    const asked = await asker.ask();
    show(asked, before, { form, watch });
    before = asked;
    if (!watch) return asked.faults.length === 0 ? 0 : EXIT_FAILED;
    await delay(WATCH_MS);
  }
}

interface Asked {
  /** By the paths of the sockets. */
  readonly reports: ReadonlyMap<string, Report>;
  readonly faults: readonly string[];
}

class Asker {
  readonly #streams: LocalStreams;
  readonly #names: readonly string[];
  readonly #libc: ProcessLibc;

  constructor(
    streams: LocalStreams,
    names: readonly string[],
    libc: ProcessLibc,
  ) {
    this.#streams = streams;
    this.#names = names;
    this.#libc = libc;
  }

  async ask(): Promise<Asked> {
    const reports = new Map<string, Report>();
    const faults: string[] = [];
    let paths: readonly string[] = [];
    try {
      paths = this.#paths();
    } catch (error) {
      faults.push(reasonOf(error));
    }
    for (const path of paths) {
      try {
        reports.set(path, await this.#askAt(path));
      } catch (error) {
        faults.push(whyNoAnswer(path, error));
      }
    }
    return { reports, faults };
  }

  async #askAt(path: string): Promise<Report> {
    const stream = this.#streams.openUnixStreams().connect({ path });
    return await askReport(stream, delay);
  }

  #paths(): readonly string[] {
    return this.#names.length > 0
      ? this.#names.map(socketOf)
      : allSockets(this.#libc);
  }
}

function show(
  { reports, faults }: Asked,
  before: Asked | undefined,
  { form, watch }: Pick<StatusProgramOptions, "form" | "watch">,
): void {
  const texts = Array.from(
    reports,
    ([path, report]) => textOf(report, before?.reports.get(path), form),
  );
  const text = texts.join(form === "table" ? "\n" : "");
  const clear = watch && form === "table" && Deno.stdout.isTerminal();
  printTo(Deno.stdout, clear ? HOME_AND_CLEAR + text : text);
  for (const fault of faults) {
    printTo(Deno.stderr, `anytun-status: ${visible(fault)}\n`);
  }
}

function textOf(
  report: Report,
  before: Report | undefined,
  form: StatusForm,
): string {
  switch (form) {
    case "json":
      return `${visibleJson(report)}\n`;
    case "dump":
      return dumpLines(report).map((line) => `${line}\n`).join("");
    case "table":
      return tableLines(report, before).map((line) => `${line}\n`).join("");
  }
}
