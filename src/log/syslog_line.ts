// Syslog lines in the form of syslog(3) for /dev/log: RFC 3164 section 4.1
// without the host name.
import type { LevelName } from "./level.ts";
import { escapeControls, MONTHS, twoDigits } from "./line.ts";

/** By the names of the original (CLI section 6). */
const FACILITIES = {
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

export type SyslogFacility = keyof typeof FACILITIES;

export const SYSLOG_FACILITIES = Object.keys(FACILITIES);

export function isSyslogFacility(name: string): name is SyslogFacility {
  return Object.hasOwn(FACILITIES, name);
}

/** RFC 5424 section 6.2.1. */
export const SEVERITIES: Readonly<Record<LevelName, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

interface SyslogSender {
  readonly facility: SyslogFacility;
  readonly ident: string;
  readonly pid: number;
}

/** `<29>Nov 22 12:23:22 ident[pid]: text`, in local time. */
export function formatSyslogLine(
  { facility, ident, pid }: SyslogSender,
  when: Date,
  level: LevelName,
  text: string,
): string {
  const priority = FACILITIES[facility] * 8 + SEVERITIES[level];
  const day = String(when.getDate()).padStart(2);
  const time = [when.getHours(), when.getMinutes(), when.getSeconds()]
    .map(twoDigits).join(":");
  const date = `${MONTHS[when.getMonth()]} ${day} ${time}`;
  const tag = `${escapeControls(ident)}[${pid}]`;
  return `<${priority}>${date} ${tag}: ${escapeControls(text)}`;
}
