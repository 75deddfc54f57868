/**
 * Endpoints to and from the form that the data plane has of them: the kernel's
 * own, so that nothing is converted between receiving and sending.
 *
 * @module
 */
import {
  readSockaddr,
  SOCKADDR_SIZE,
  SOCKADDR_WORDS,
  sockaddrFamily,
  writeSockaddr,
} from "../../ffi/net/sockaddr.ts";
import type { Endpoint } from "../net/endpoint.ts";

/** Writes an endpoint; undefined means that none is known. */
export function writeEndpoint(
  words: Uint32Array,
  at: number,
  endpoint: Endpoint | undefined,
): void {
  if (endpoint === undefined) words.fill(0, at, at + SOCKADDR_WORDS);
  else {
    const { address: { bytes, zone }, port } = endpoint;
    const scope = Number(zone ?? 0) >>> 0;
    writeSockaddr(viewOf(words, at), 0, { address: bytes, port, scope });
  }
}

/** Reads an endpoint; undefined if none is known. */
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

function viewOf(words: Uint32Array, at: number): DataView {
  return new DataView(words.buffer, words.byteOffset + at * 4, SOCKADDR_SIZE);
}
