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
import { type Delay, delay } from "../net/delay.ts";
import type { DuplexStream } from "../net/duplex_stream.ts";
import { askMembers, askReport } from "../status/client.ts";
import { dumpLines, membersDumpLines } from "../status/dump.ts";
import type { MembersReport } from "../status/members_report.ts";
import { membersTableLines } from "../status/members_table.ts";
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
  const { cluster, form, names, watch } = commandLine.options;
  await using streams = new LocalStreams(libc);
  const asker = new Asker(streams, names, libc);
  if (cluster) return await showCluster(asker, { form, watch });
  let before: Asked<Report> | undefined;
  for (;;) {
    let asked = await asker.ask(askReport);
    // What is known of the traffic in between takes two looks.
    if (before === undefined && form === "table" && asked.reports.size > 0) {
      before = asked;
      await delay(RATE_MS);
      asked = await asker.ask(askReport);
    }
    const texts = Array.from(
      asked.reports,
      ([path, report]) => textOf(report, before?.reports.get(path), form),
    );
    show(texts, asked, { form, watch });
    before = asked;
    if (!watch) return asked.faults.length === 0 ? 0 : EXIT_FAILED;
    await delay(WATCH_MS);
  }
}

async function showCluster(
  asker: Asker,
  options: Pick<StatusProgramOptions, "form" | "watch">,
): Promise<number> {
  for (;;) {
    const asked = await asker.ask(askMembers);
    const texts = Array.from(
      asked.reports.values(),
      (report) => membersText(report, options.form),
    );
    show(texts, asked, options);
    if (!options.watch) return asked.faults.length === 0 ? 0 : EXIT_FAILED;
    await delay(WATCH_MS);
  }
}

interface Asked<T> {
  /** By the paths of the sockets. */
  readonly reports: ReadonlyMap<string, T>;
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

  async ask<T>(
    question: (stream: DuplexStream, wait: Delay) => Promise<T>,
  ): Promise<Asked<T>> {
    const reports = new Map<string, T>();
    const faults: string[] = [];
    let paths: readonly string[] = [];
    try {
      paths = this.#paths();
    } catch (error) {
      faults.push(reasonOf(error));
    }
    for (const path of paths) {
      try {
        const stream = this.#streams.openUnixStreams().connect({ path });
        reports.set(path, await question(stream, delay));
      } catch (error) {
        faults.push(whyNoAnswer(path, error));
      }
    }
    return { reports, faults };
  }

  #paths(): readonly string[] {
    return this.#names.length > 0
      ? this.#names.map(socketOf)
      : allSockets(this.#libc);
  }
}

function show(
  texts: readonly string[],
  { faults }: Pick<Asked<unknown>, "faults">,
  { form, watch }: Pick<StatusProgramOptions, "form" | "watch">,
): void {
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

function membersText(report: MembersReport, form: StatusForm): string {
  switch (form) {
    case "json":
      return `${visibleJson(report)}\n`;
    case "dump":
      return membersDumpLines(report).map((line) => `${line}\n`).join("");
    case "table":
      return membersTableLines(report).map((line) => `${line}\n`).join("");
  }
}
