// Reader of the setup of a guard, which it has from its environment: others might
// have put something there as well.
import type { LogLevel } from "../log/level.ts";
import { isSyslogFacility } from "../log/syslog_line.ts";
import type { LogTarget } from "../log/target.ts";
import {
  Fields,
  numberOf,
  objectOf,
  ReportError,
  textOf,
} from "../status/fields.ts";
import type { GuardSetup } from "./guard_setup.ts";

const U32_MAX = 0xffffffff;

/** @throws {ReportError} if it is nothing that a daemon says */
export function readGuardSetup(text: string): GuardSetup {
  const setup = objectOf(text);
  return {
    device: setup.orNull("device", textOf),
    addresses: setup.list("addresses", addressOf),
    patience: setup.number("patience"),
    mainPatience: setup.number("mainPatience"),
    identity: setup.orNull("identity", (value, place) => {
      const identity = new Fields(value, place);
      const idOf = wholeUpTo(U32_MAX);
      return {
        uid: identity.object("uid", idOf),
        gid: identity.object("gid", idOf),
      };
    }),
    hasScript: setup.flag("hasScript"),
    isConfined: setup.flag("isConfined"),
    log: setup.object("log", (value, place) => {
      const log = new Fields(value, place);
      return {
        targets: log.list("targets", targetOf),
        format: log.oneOf("format", ["text", "json"]),
      };
    }),
  };
}

function targetOf(value: unknown, place: string): LogTarget {
  const target = new Fields(value, place);
  const kind = target.oneOf("kind", ["stdout", "stderr", "file", "syslog"]);
  const level = target.object("level", (value, place) => {
    const found = LEVELS.find((level) => level === value);
    if (found !== undefined) return found;
    throw new ReportError(`${place} is no level of a log`);
  });
  if (kind === "file") return { kind, level, path: target.text("path") };
  if (kind !== "syslog") return { kind, level };
  const facility = target.text("facility");
  if (!isSyslogFacility(facility)) {
    throw new ReportError(`${place}.facility is none of syslog's`);
  }
  return {
    ...{ kind, level, facility, isDefault: true },
    ident: target.text("ident"),
  };
}

const LEVELS: readonly LogLevel[] = [0, 1, 2, 3, 4, 5];

function addressOf(
  value: unknown,
  place: string,
): GuardSetup["addresses"][number] {
  const address = new Fields(value, place);
  const bytes = address.list("bytes", wholeUpTo(0xff));
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new ReportError(`${place}.bytes is no address`);
  }
  return {
    bytes,
    length: address.object("length", wholeUpTo(8 * bytes.length)),
  };
}

function wholeUpTo(most: number): typeof numberOf {
  return (value, place) => {
    const number = numberOf(value, place);
    if (Number.isInteger(number) && number <= most) return number;
    throw new ReportError(`${place} is no whole number up to ${most}`);
  };
}
