// Records of one client, as `anytun-config` writes them (sync section 6).
import type { Endpoint } from "../net/endpoint.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Role } from "../satp/params.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import { encodeRecord } from "./encode.ts";
import type { RouteRecord, SyncRecord } from "./record.ts";

export interface ClientConfig {
  readonly mux: number;
  /** The servers' end of the tunnel. */
  readonly role: Role;
  readonly secrets: MasterSecrets;
  readonly windowSize: number;
  /** 0.0.0.0 or `::` if it is not known. */
  readonly endpoint: Endpoint;
  readonly routes: readonly Prefix[];
}

export function configRecords(config: ClientConfig): SyncRecord[] {
  const { routes, ...connection } = config;
  return [
    { command: "connection", ...connection, seq: 0 },
    ...routes.map(({ address, length }): RouteRecord => ({
      command: "route",
      network: address,
      prefixLength: length,
      mux: config.mux,
    })),
  ];
}

export function configText(records: readonly SyncRecord[]): string {
  return records.map((record) => `${encodeRecord(record)}\n`).join("");
}

/**
 * Whether a route makes anytun 0.3.8, anytun-config and anytun-showtables hang
 * for ever: its length ends inside a byte, and its bits there are all ones, as
 * in 10.128.0.0/9 (SATP section 8).
 */
export function hangsOriginals({ address, length }: Prefix): boolean {
  const bits = length % 8;
  const byte = address.bytes[length >>> 3] ?? 0;
  return bits !== 0 && (byte | 0xff >>> bits) === 0xff;
}
