// Records that members of a cluster exchange (sync section 2).
import type { Endpoint } from "../net/endpoint.ts";
import type { Route } from "../route/route.ts";
import type { Role } from "../satp/params.ts";
import type { MasterSecrets } from "../satp/secrets.ts";

export interface ConnectionRecord {
  readonly command: "connection";
  readonly mux: number;
  /** The role of whoever receives the record. */
  readonly role: Role;
  /** Key of 16, 24 or 32 bytes and salt of 14; both empty for kd-prf null. */
  readonly secrets: MasterSecrets;
  readonly windowSize: number;
  /** The next one of the sender. */
  readonly seq: number;
  /** As it is written; see {@linkcode knownEndpoint}. */
  readonly endpoint: Endpoint;
}

export interface RouteRecord extends Route {
  readonly command: "route";
}

export type SyncRecord = ConnectionRecord | RouteRecord;

/**
 * undefined for an address of zeros or port 0, to which nothing can be sent.
 */
export function knownEndpoint(
  { endpoint }: Pick<ConnectionRecord, "endpoint">,
): Endpoint | undefined {
  const isKnown = endpoint.port !== 0 && !isUnspecified(endpoint);
  return isKnown ? endpoint : undefined;
}

export function isUnspecified({ address }: Endpoint): boolean {
  return address.bytes.every((byte) => byte === 0);
}
