// Endpoints in the kernel's own form, so that the data plane converts nothing.
import {
  readSockaddr,
  SOCKADDR_SIZE,
  SOCKADDR_WORDS,
  sockaddrFamily,
  writeSockaddr,
} from "../../ffi/net/sockaddr.ts";
import { unmapped } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { type ConnectionTable, endpointWords } from "./connection_table.ts";

export function writeEndpoint(
  words: Uint32Array,
  at: number,
  endpoint: Endpoint | undefined,
): void {
  if (endpoint === undefined) words.fill(0, at, at + SOCKADDR_WORDS);
  else {
    const { bytes, zone } = unmapped(endpoint.address);
    const { port } = endpoint;
    const scope = Number(zone ?? 0) >>> 0;
    writeSockaddr(viewOf(words, at), 0, { address: bytes, port, scope });
  }
}

export function readEndpoint(
  words: Uint32Array,
  at: number,
): Endpoint | undefined {
  const family = sockaddrFamily(words, at);
  if (family === 0) return undefined;
  const { address: bytes, port, scope } = readSockaddr(viewOf(words, at), 0);
  const zone = scope === 0 ? {} : { zone: String(scope) };
  return { address: { family, bytes, ...zone }, port };
}

/** Where the peer of a connection is; undefined as long as nobody knows. */
export function endpointOf(
  { endpoints }: Pick<ConnectionTable, "endpoints">,
  mux: number,
): Endpoint | undefined {
  const words = endpointWords();
  endpoints.copy(mux, words, 0);
  return readEndpoint(words, 0);
}

/** @param endpoint With the zone as a number; undefined for an unknown one */
export function putEndpoint(
  { endpoints }: Pick<ConnectionTable, "endpoints">,
  mux: number,
  endpoint: Endpoint | undefined,
): void {
  const words = endpointWords();
  writeEndpoint(words, 0, endpoint);
  endpoints.set(mux, words, 0);
}

function viewOf(words: Uint32Array, at: number): DataView {
  return new DataView(words.buffer, words.byteOffset + at * 4, SOCKADDR_SIZE);
}
