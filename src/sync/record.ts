/**
 * What members of a cluster tell each other (sync section 2).
 *
 * @module
 */
import type { Endpoint } from "../net/endpoint.ts";
import type { Route } from "../route/route.ts";
import type { Role } from "../satp/params.ts";
import type { MasterSecrets } from "../satp/secrets.ts";

/** A connection is there, or has changed. */
export interface ConnectionRecord {
  readonly command: "connection";
  /** 0 to 65535. */
  readonly mux: number;
  /** The role of whoever receives the record. */
  readonly role: Role;
  /** Key of 16, 24 or 32 bytes and salt of 14; both empty for kd-prf null. */
  readonly secrets: MasterSecrets;
  /** Sequence numbers in the replay window, 0 to 2^32 - 1. */
  readonly windowSize: number;
  /** Next sequence number of the sender of the record, 0 to 2^32 - 1. */
  readonly seq: number;
  /** As it is written; see {@linkcode knownEndpoint}. */
  readonly endpoint: Endpoint;
}

/** Destinations belong to a connection. */
export interface RouteRecord extends Route {
  readonly command: "route";
}

/** One record. */
export type SyncRecord = ConnectionRecord | RouteRecord;

/**
 * The endpoint of a connection, if the record knows one: neither an address of
 * zeros nor port 0 is a place to send to.
 */
export function knownEndpoint(
  { endpoint }: ConnectionRecord,
): Endpoint | undefined {
  const isKnown = endpoint.port !== 0 && !isUnspecified(endpoint);
  return isKnown ? endpoint : undefined;
}

/** Whether the address is 0.0.0.0 or `::`. */
export function isUnspecified({ address }: Endpoint): boolean {
  return address.bytes.every((byte) => byte === 0);
}
