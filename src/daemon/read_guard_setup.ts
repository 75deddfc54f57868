// Reader of the setup of a guard, which it has from its environment: others might
// have put something there as well.
import { Fields, numberOf, objectOf, textOf } from "../status/fields.ts";
import type { GuardSetup } from "./guard_setup.ts";

/** @throws {ReportError} if it is nothing that a daemon says */
export function readGuardSetup(text: string): GuardSetup {
  const setup = objectOf(text);
  return {
    device: setup.orNull("device", textOf),
    addresses: setup.list("addresses", (value, place) => {
      const address = new Fields(value, place);
      return {
        bytes: address.list("bytes", numberOf),
        length: address.number("length"),
      };
    }),
    patience: setup.number("patience"),
    mainPatience: setup.number("mainPatience"),
    identity: setup.orNull("identity", (value, place) => {
      const identity = new Fields(value, place);
      return { uid: identity.number("uid"), gid: identity.number("gid") };
    }),
    hasScript: setup.flag("hasScript"),
    isConfined: setup.flag("isConfined"),
  };
}
