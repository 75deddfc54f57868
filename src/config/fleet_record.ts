// Record of a fleet's client, as options write it and as it is read back
// (docs/fleet.md, "Records").
import { formatRecord, type RecordLine } from "../fleet/record_text.ts";
import { formatPrefix } from "../net/prefix.ts";
import type { KdPrfName, Role } from "../satp/params.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import { recordRows } from "./client_text.ts";
import { readConfigText } from "./config_file.ts";
import { roleOf } from "./connection.ts";
import type { AddOptions } from "./fleet.ts";
import { type OptionValues, settingsOf } from "./values.ts";

/** Options of a record that are about its keys. */
export const KEY_OPTIONS = ["key", "salt", "passphrase"];

/** @param secrets Undefined with a key chain */
export function recordText(
  options: AddOptions,
  mux: number,
  secrets: MasterSecrets | undefined,
): string {
  const { role, windowSize, kdPrf, routes, remoteHost, remotePort } = options;
  return formatRecord([
    ["mux", mux],
    ["role", role],
    ["window-size", windowSize],
    ["kd-prf", kdPrf],
    ...keyLines(secrets),
    ...routes.map((route) => ["route", formatPrefix(route)] as const),
    ...(remoteHost === undefined ? [] : [
      ["remote-host", remoteHost],
      ["remote-port", remotePort],
    ] as const),
  ]);
}

/** None for key derivation null, which has no keys. */
export function keyLines(
  secrets: MasterSecrets | undefined,
): readonly RecordLine[] {
  if (secrets === undefined || secrets.key.length === 0) return [];
  return [["key", secrets.key.toHex()], ["salt", secrets.salt.toHex()]];
}

export interface RecordValues extends OptionValues<typeof recordRows> {
  /** The end of the tunnel that the servers have. */
  readonly role: Role;
}

/**
 * Reads what somebody has put into the store. No file of this host is read.
 * @param key What messages call it
 * @throws {OptionFault} with what is wrong, and no secret
 */
export function readRecordText(key: string, text: string): RecordValues {
  const bytes = new TextEncoder().encode(text);
  const given = readConfigText(recordRows, {
    path: key,
    format: "lines",
    bytes,
  });
  const settings = settingsOf(recordRows, [given]);
  return { ...settings.values, role: roleOf(settings) };
}

/** @throws {Error} where it has none */
export function kdPrfWithKeys(
  { kdPrf }: RecordValues,
): Exclude<KdPrfName, "null"> {
  if (kdPrf !== "null") return kdPrf;
  throw new Error("its key derivation (kd-prf) is null, which has no keys");
}
