// Options of one client of a server, which become its records.
import { U16_MAX } from "../net/decimal.ts";
import type { Prefix } from "../net/prefix.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { Role } from "../satp/params.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import type { Surroundings } from "./host_files.ts";
import {
  muxRow,
  roleOf,
  roleRow,
  routesRow,
  windowSizeRow,
} from "./connection.ts";
import { kdPrfRow, secretsOf } from "./keys.ts";
import { familyOf, familyRows, remoteRows, requireFamily } from "./network.ts";
import { secretRows } from "./secrets.ts";
import { type OptionValues, pick, type Settings } from "./values.ts";

/** Records have 16 bits for the size of a replay window. */
export const clientRows = {
  ...remoteRows,
  ...familyRows,
  mux: muxRow,
  windowSize: windowSizeRow(U16_MAX),
  role: roleRow,
  routes: routesRow,
  ...secretRows,
  kdPrf: kdPrfRow,
};

/** Options that mean the same to the program as to the command line. */
const plainRows = {
  ...remoteRows,
  mux: muxRow,
  windowSize: clientRows.windowSize,
  kdPrf: kdPrfRow,
};

export interface ClientOptions extends OptionValues<typeof plainRows> {
  /** Restricts what the name of the peer resolves to. */
  readonly family: FamilyChoice;
  /** The networks behind the peer, in the order given. */
  readonly routes: readonly Prefix[];
  /** The end of the tunnel that the server has. */
  readonly role: Role;
  readonly secrets: GivenSecrets;
}

export function clientOf(
  settings: Settings<typeof clientRows>,
  surroundings: Surroundings,
): ClientOptions {
  const { values, names } = settings;
  const family = familyOf(settings);
  requireFamily(names.remoteHost, values.remoteHost, family);
  return {
    ...pick(values, plainRows),
    family,
    role: roleOf(settings),
    routes: values.routes.flat(),
    secrets: secretsOf(settings, values.kdPrf, surroundings),
  };
}
