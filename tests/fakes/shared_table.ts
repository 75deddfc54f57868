import {
  type Endpoint,
  formatEndpoint,
  parseEndpoint,
} from "../../src/net/endpoint.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
  endpointWords,
} from "../../src/tunnel/connection_table.ts";
import {
  readEndpoint,
  writeEndpoint,
} from "../../src/tunnel/endpoint_words.ts";

export const RANGE = 2 ** 32;
export const MUX = 7;

export function keysOf(
  { key = 1, role = "left", windowSize = 0, bytes = 16 }: {
    readonly key?: number;
    readonly role?: "left" | "right";
    readonly windowSize?: number;
    readonly bytes?: number;
  } = {},
): ConnectionKeys {
  const secrets = {
    key: new Uint8Array(bytes).fill(key),
    salt: new Uint8Array(bytes === 0 ? 0 : 14).fill(key + 1),
  };
  return { role, secrets, windowSize };
}

export function newTable(): ConnectionTable {
  return new ConnectionTable(ConnectionTable.allocate());
}

export function epochOf(table: ConnectionTable, mux = MUX): number {
  return table.keys(mux).epoch;
}

export function setEndpoint(
  table: ConnectionTable,
  mux: number,
  text: string,
): boolean {
  const words = endpointWords();
  writeEndpoint(words, 0, parseEndpoint(text));
  return table.endpoints.set(mux, words, 0);
}

export function endpointText(
  table: ConnectionTable,
  mux: number,
): string | undefined {
  const words = endpointWords();
  table.endpoints.copy(mux, words, 0);
  const endpoint: Endpoint | undefined = readEndpoint(words, 0);
  return endpoint && formatEndpoint(endpoint);
}

/** Makes a connection whose next sequence number is far from 0. */
export function putAt(table: ConnectionTable, seq: number): void {
  for (const step of [seq - RANGE / 2, seq]) {
    if (step >= 0) table.put(MUX, keysOf(), step);
  }
}
