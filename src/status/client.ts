// Client of a status listener: asks for the report, and reads the answer, which
// may be anything.
import { type DuplexStream, writeAll } from "../net/duplex_stream.ts";
import type { Delay } from "../net/delay.ts";
import { bodyOf } from "./answer.ts";
import { ReportError } from "./fields.ts";
import { type MembersReport, readMembersReport } from "./members_report.ts";
import { readHealth, readReport } from "./read_report.ts";
import type { HealthReport, Report } from "./report.ts";
import {
  type DRAIN_PATH,
  HEALTH_PATH,
  MEMBERS_PATH,
  REPORT_PATH,
  type TOTALS_PATH,
  type UNDRAIN_PATH,
} from "./site.ts";

/** More than there is of every mux. */
const MAX_BYTES = 128 << 20;
const READ_BYTES = 1 << 16;
const ANSWER_MS = 10_000;

/**
 * @param stream Is closed afterwards
 * @throws if there is no answer in time, or none that is a report, as a whole
 */
export async function askReport(
  stream: DuplexStream,
  delay: Delay,
  path: typeof REPORT_PATH | typeof TOTALS_PATH = REPORT_PATH,
): Promise<Report> {
  return readReport(await ask(stream, delay, `GET ${path}`));
}

/** As {@linkcode askReport}. */
export async function askHealth(
  stream: DuplexStream,
  delay: Delay,
): Promise<HealthReport> {
  return readHealth(await ask(stream, delay, `GET ${HEALTH_PATH}`));
}

/** As {@linkcode askReport}, about all members of the cluster. */
export async function askMembers(
  stream: DuplexStream,
  delay: Delay,
): Promise<MembersReport> {
  return readMembersReport(await ask(stream, delay, `GET ${MEMBERS_PATH}`));
}

/**
 * Has something changed.
 * @param stream Is closed afterwards
 * @returns What the daemon says of it
 * @throws if there is no answer in time, or it refuses
 */
export async function askChange(
  stream: DuplexStream,
  delay: Delay,
  path: typeof DRAIN_PATH | typeof UNDRAIN_PATH,
): Promise<string> {
  return (await ask(stream, delay, `POST ${path}`)).trimEnd();
}

async function ask(
  stream: DuplexStream,
  delay: Delay,
  request: string,
): Promise<string> {
  const done = new AbortController();
  const late = delay(ANSWER_MS, done.signal).then(() => {
    throw new Error(`no answer for ${ANSWER_MS / 1000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([exchange(stream, request), late]);
  } finally {
    done.abort();
    stream.close();
  }
}

async function exchange(
  stream: DuplexStream,
  request: string,
): Promise<string> {
  // Of 1.1: in chunks, a long answer that was cut is told from a whole one.
  const text = `${request} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  await writeAll(stream, new TextEncoder().encode(text));
  return bodyOf(await readAll(stream));
}

async function readAll(stream: DuplexStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const piece = new Uint8Array(READ_BYTES);
  let size = 0;
  for (;;) {
    const count = await stream.read(piece);
    if (count === null) return concatenated(pieces, size);
    size += count;
    if (size > MAX_BYTES) throw new ReportError("it does not end");
    pieces.push(piece.slice(0, count));
  }
}

function concatenated(
  pieces: readonly Uint8Array[],
  size: number,
): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
