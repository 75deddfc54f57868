// Encoding of records, byte by byte as the originals (sync section 2).
import { formatAddress } from "../net/address.ts";
import type { Route } from "../route/route.ts";
import { bytesTokens, SIGNATURE, stringToken } from "./archive.ts";
import { LENGTH_DIGITS } from "./framing.ts";
import type { ConnectionRecord, RouteRecord, SyncRecord } from "./record.ts";

/** Of Boost 1.74, which anytun 0.3.8 is built with. */
const ARCHIVE_VERSION = 18;

/** Before the first object of a class. */
const CLASS = "0 0";

const FAMILY_NUMBERS = { 4: 0, 6: 1, ethernet: 2 } as const;

/**
 * @param version Library version, the only difference between releases of
 * Boost; peers refuse what is newer than their own
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

export function frameText(text: string): string {
  // In one piece: records are kept by the ten thousand.
  return [String(text.length).padStart(LENGTH_DIGITS, "0"), text].join(" ");
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
