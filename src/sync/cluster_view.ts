// Tables of a cluster, as text and as JSON. Keys are never shown.
import { alignedRows } from "../log/rows.ts";
import { formatAddress } from "../net/address.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { Route } from "../route/route.ts";
import { Routes } from "../route/routes.ts";
import { kdPrfOf } from "../satp/params.ts";
import {
  type ConnectionRecord,
  isUnspecified,
  type SyncRecord,
} from "./record.ts";

export class ClusterView {
  readonly #connections = new Map<number, ConnectionRecord>();
  readonly #routes = new Routes();

  apply(record: SyncRecord): void {
    if (record.command === "route") this.#routes.put(record);
    else this.#connections.set(record.mux, record);
  }

  lines(): string[] {
    const clients = [...this.#connections.values()]
      .sort((a, b) => a.mux - b.mux)
      .map((record) => Object.values(clientFields(record)).map(cell));
    const routes = this.#routes.list()
      .map((route) => Object.values(routeFields(route)).map(cell));
    return [
      ...alignedRows([
        ["CLIENT", "ENDPOINT", "ROLE", "KD-PRF", "WINDOW", "NEXT"],
        ...clients,
      ]),
      "",
      ...alignedRows([["ROUTE", "CLIENT"], ...routes]),
    ];
  }
}

export function tableJson(record: SyncRecord): string {
  return JSON.stringify(
    record.command === "connection"
      ? { type: "client", ...clientFields(record) }
      : { type: "route", ...routeFields(record) },
  );
}

function clientFields(record: ConnectionRecord) {
  const { mux, endpoint, role, secrets, windowSize, seq } = record;
  return {
    mux,
    endpoint: isUnspecified(endpoint) ? null : formatEndpoint(endpoint),
    role,
    kd_prf: kdPrfOf(secrets.key.length) ?? "null",
    window_size: windowSize,
    next_seq: seq,
  };
}

function routeFields({ network, prefixLength, mux }: Route) {
  const address = network.family === "ethernet"
    ? ethernetText(network.value)
    : formatAddress(network);
  return { prefix: `${address}/${prefixLength}`, mux };
}

function ethernetText(value: bigint): string {
  const digits = (value & 0xffffffffffffn).toString(16).padStart(12, "0");
  return digits.replaceAll(/..(?!$)/g, "$&:");
}

function cell(value: string | number | null): string {
  return value === null ? "not registered" : String(value);
}
