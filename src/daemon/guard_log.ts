// The log of a guard: that of its daemon, opened once more for what there is to say
// when the daemon cannot.
import { openAppend } from "../../ffi/process/append_file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { LEVEL_NUMBERS, type LevelName } from "../log/level.ts";
import { type LogSurroundings, Outlet } from "../log/outlet.ts";
import type { LogFormat, LogTarget } from "../log/target.ts";
import { lineOf } from "../log/target_line.ts";
import { addressOf } from "../net/address.ts";
import { formatPrefix } from "../net/prefix.ts";
import type { GuardSetup } from "./guard_setup.ts";
import type { LoggedOptions } from "./log_service.ts";
import { systemStreams } from "./system_streams.ts";

const PROGRAM = "anytun";

export interface GuardLog {
  readonly targets: readonly LogTarget[];
  readonly format: LogFormat;
}

/**
 * A guard has one stream, and may open no file later on: one that was moved away
 * may be nobody's by then. So where there are files the syslog has its line too.
 * @param absolute Path of a file, from where the daemon was started
 */
export function guardLogOf(
  { logTargets, logFormat: format }: LoggedOptions,
  absolute: (path: string) => string,
): GuardLog {
  const heard = logTargets
    .filter(({ level }) => level >= LEVEL_NUMBERS.error);
  const files = heard.filter(({ kind }) => kind === "file");
  const targets: LogTarget[] = heard.filter(({ kind }) => isStream(kind))
    .slice(0, 1);
  for (const target of heard) {
    if (target.kind === "file") {
      targets.push({ ...target, path: absolute(target.path) });
    } else if (target.kind === "syslog") {
      const { facility, ident = PROGRAM, level } = target;
      targets.push({ ...SYSLOG, facility, ident, level });
    }
  }
  if (files.length > 0 && heard.every(({ kind }) => kind !== "syslog")) {
    const level = files.map(({ level }) => level)
      .reduce((most, level) => level > most ? level : most);
    targets.push({ ...SYSLOG, level });
  }
  return { targets, format };
}

const SYSLOG: Omit<Extract<LogTarget, { kind: "syslog" }>, "level"> = {
  kind: "syslog",
  ident: PROGRAM,
  facility: "daemon",
  isDefault: true,
};

/** The descriptor that a guard has as its standard output and error. */
export function streamOf({ targets }: GuardLog): number | undefined {
  const kind = targets.map(({ kind }) => kind).find(isStream);
  return kind && (kind === "stdout" ? 1 : 2);
}

function isStream(kind: LogTarget["kind"]): boolean {
  return kind === "stdout" || kind === "stderr";
}

/**
 * Opens it with the rights of the start, each target by itself.
 * @returns Says something there, unless that fails: a guard does its duty without
 */
export function openGuardLog(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  { targets, format }: GuardLog,
): (level: LevelName, text: string) => void {
  const surroundings: LogSurroundings = {
    ...systemStreams(libc, environment),
    openFile: (path) => openAppend(libc, path),
    fileIdentity: () => undefined,
    now: () => Date.now(),
    pid: Deno.pid,
  };
  const style = { program: PROGRAM, format };
  const opened = targets.flatMap((target) => {
    const outlet = attempt(() => new Outlet(target, surroundings));
    const line = lineOf(target, style, surroundings);
    return outlet === undefined ? [] : [{ outlet, line, most: target.level }];
  });
  return (level, text) => {
    const when = new Date(surroundings.now());
    for (const { outlet, line, most } of opened) {
      if (LEVEL_NUMBERS[level] > most) continue;
      const bytes = new TextEncoder().encode(line(when, level, text));
      attempt(() => outlet.write(bytes));
    }
  };
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}

type EndedSetup = Pick<GuardSetup, "addresses" | "device" | "hasScript">;

/**
 * What became of the announcement of a daemon that has said nothing at its end.
 * @param fault Why an address stays
 */
export function endText(
  { addresses, device, hasScript }: EndedSetup,
  daemon: number,
  fault: string | undefined,
): string {
  const list = addresses.map(({ bytes, length }) =>
    formatPrefix({ address: addressOf(Uint8Array.from(bytes)), length })
  ).join(", ");
  const what = [
    ...(device === null
      ? []
      : fault === undefined
      ? [`${list} is announced no more on ${device}`]
      : [`its guard cannot take away ${list} from ${device}: ${fault}`]),
    ...(hasScript ? ["the announce-script is told to withdraw"] : []),
  ];
  return `the daemon (process ${daemon}) has ended without a word, as one that ` +
    `is killed: ${what.join("; ")}`;
}
