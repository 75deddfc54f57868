// Reader of the setup of a guard, which it has from its environment: others might
// have put something there as well.
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
  };
}

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
