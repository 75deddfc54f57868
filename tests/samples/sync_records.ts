/**
 * Records for tests.
 *
 * @module
 */
import type { Role } from "../../src/satp/params.ts";
import type { ConnectionRecord, RouteRecord } from "../../src/sync/record.ts";
import { ipAddress, routeOf } from "./routes.ts";

/** What differs from the usual connection. */
interface ConnectionParts {
  readonly mux?: number;
  readonly role?: Role;
  /** Bytes of the key, all but the first as usual. */
  readonly firstKeyByte?: number;
  readonly windowSize?: number;
  readonly seq?: number;
  readonly host?: string;
  readonly port?: number;
}

/** A connection with mux 5 to 192.0.2.7:4444 and a key of 16 bytes. */
export function connectionRecord(
  parts: ConnectionParts = {},
): ConnectionRecord {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
  key[0] = parts.firstKeyByte ?? 1;
  return {
    command: "connection",
    mux: parts.mux ?? 5,
    role: parts.role ?? "left",
    secrets: { key, salt: new Uint8Array(14).fill(200) },
    windowSize: parts.windowSize ?? 100,
    seq: parts.seq ?? 0,
    endpoint: {
      address: ipAddress(parts.host ?? "192.0.2.7"),
      port: parts.port ?? 4444,
    },
  };
}

/** A route from `address/length`. */
export function routeRecord(prefix: string, mux: number): RouteRecord {
  return { command: "route", ...routeOf(prefix, mux) };
}
