/**
 * The one way to the recorded vectors: the copy inside this repository, or the
 * full set that lies beside it where there is one.
 *
 * @module
 */

const PLACES = ["data/", "../../../shared/vectors/"];

/**
 * Reads a vector file, such as `datagrams.json`.
 *
 * @throws {Deno.errors.NotFound} if no place has it
 */
export function vectorText(name: string): string {
  for (const place of PLACES) {
    try {
      return Deno.readTextFileSync(new URL(place + name, import.meta.url));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Deno.errors.NotFound(`Cannot find the vectors ${name}`);
}

/** Reads a vector file as JSON; the caller names the fields it uses. */
export function loadVectors<T>(name: string): T {
  return JSON.parse(vectorText(name));
}

/** Bytes from lower case hexadecimal digits. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const pairs = text.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

/** Lower case hexadecimal digits of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
