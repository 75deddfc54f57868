/**
 * Endpoints as eight 32 bit words, the form in which threads share and compare
 * them: family (4, 6, or 0 for none), port, four words of address bytes in
 * network order, scope id, and one spare.
 *
 * @module
 */
import type { Endpoint } from "../net/endpoint.ts";

/** Words of one endpoint. */
export const ENDPOINT_WORDS = 8;

/** Writes an endpoint; undefined means that none is known. */
export function writeEndpoint(
  words: Uint32Array,
  at: number,
  endpoint: Endpoint | undefined,
): void {
  words.fill(0, at, at + ENDPOINT_WORDS);
  if (endpoint === undefined) return;
  const { address, port } = endpoint;
  words[at] = address.family;
  words[at + 1] = port;
  address.bytes.forEach((byte, k) => {
    const word = at + 2 + (k >>> 2);
    words[word] = (words[word] ?? 0) | (byte << (8 * (k & 3)));
  });
  words[at + 6] = Number(address.zone ?? 0) >>> 0;
}

/** Reads an endpoint; undefined if none is known. */
export function readEndpoint(
  words: Uint32Array,
  at: number,
): Endpoint | undefined {
  const family = words[at];
  if (family !== 4 && family !== 6) return undefined;
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  for (let k = 0; k < bytes.length; k++) {
    bytes[k] = (words[at + 2 + (k >>> 2)] ?? 0) >>> (8 * (k & 3));
  }
  const scope = words[at + 6] ?? 0;
  const address = scope === 0
    ? { family, bytes } as const
    : { family, bytes, zone: String(scope) } as const;
  return { address, port: words[at + 1] ?? 0 };
}

/** Whether two endpoints are the same. */
export function sameEndpoint(
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
): boolean {
  for (let k = 0; k < ENDPOINT_WORDS - 1; k++) {
    if (a[atA + k] !== b[atB + k]) return false;
  }
  return true;
}

/** Copies one endpoint. */
export function copyEndpoint(
  from: Uint32Array,
  atFrom: number,
  to: Uint32Array,
  atTo: number,
): void {
  for (let k = 0; k < ENDPOINT_WORDS; k++) to[atTo + k] = from[atFrom + k] ?? 0;
}
