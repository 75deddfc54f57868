/**
 * Records as the originals write them, byte by byte (sync section 2).
 *
 * @module
 */
import { formatAddress } from "../net/address.ts";
import type { Route } from "../route/route.ts";
import { bytesTokens, SIGNATURE, stringToken } from "./archive.ts";
import { LENGTH_DIGITS } from "./framing.ts";
import type { ConnectionRecord, RouteRecord, SyncRecord } from "./record.ts";

/** The library version of Boost 1.74, which anytun 0.3.8 is built with. */
const ARCHIVE_VERSION = 18;

/** What stands before the first object of a class. */
const CLASS = "0 0";

const FAMILY_NUMBERS = { 4: 0, 6: 1, ethernet: 2 } as const;

/**
 * Writes a record for the stream, with its length and without a newline.
 *
 * @param version Library version, the only thing that differs between peers
 * built with different releases of Boost; those refuse what is newer than
 * their own
 * @returns ASCII text
 *
 * @example
 * ```ts
 * import { encodeRecord } from "./encode.ts";
 * import { strict as assert } from "node:assert";
 *
 * const network = { family: 4, bytes: Uint8Array.of(10, 0, 0, 0) } as const;
 * assert.equal(
 *   encodeRecord({ command: "route", network, prefixLength: 8, mux: 5 }),
 *   "00069 22 serialization::archive 18 " +
 *     "0 0 5 route 0 0 0 0 8 0 0 0 8 10.0.0.0 5",
 * );
 * ```
 */
export function encodeRecord(
  record: SyncRecord,
  version: number = ARCHIVE_VERSION,
): string {
  const text = [
    stringToken(SIGNATURE),
    version,
    CLASS,
    stringToken(record.command),
    record.command === "connection"
      ? connectionTokens(record)
      : routeTokens(record),
  ].join(" ");
  return frameText(text);
}

/** Puts the length before the archive text of a record. */
export function frameText(text: string): string {
  return `${String(text.length).padStart(LENGTH_DIGITS, "0")} ${text}`;
}

function connectionTokens(record: ConnectionRecord): string {
  const { mux, role, secrets, windowSize, seq, endpoint } = record;
  return [
    CLASS,
    mux,
    CLASS,
    CLASS,
    role === "left" ? 0 : 1,
    secrets.key.length * 8,
    CLASS,
    bytesTokens(secrets.salt),
    bytesTokens(secrets.key),
    CLASS,
    windowSize,
    seq,
    stringToken(formatAddress(endpoint.address)),
    endpoint.port,
  ].join(" ");
}

function routeTokens({ network, prefixLength, mux }: RouteRecord): string {
  return [
    CLASS,
    CLASS,
    prefixLength,
    CLASS,
    FAMILY_NUMBERS[network.family],
    networkToken(network),
    mux,
  ].join(" ");
}

function networkToken(network: Route["network"]): string {
  return network.family === "ethernet"
    ? String(network.value)
    : stringToken(formatAddress(network));
}
