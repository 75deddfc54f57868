// Taking numbers in WebAssembly, where 64 bits allocate nothing.

/**
 * See `NumberWords.reserve`; by the byte offset of the word, and with the limit
 * given.
 */
export type Reserve = (
  at: number,
  epoch: number,
  count: number,
  limit: number,
) => number;

/** @param memory Shared, with the words of all connections */
export function openReserve(memory: WebAssembly.Memory): Reserve {
  const binary = Uint8Array.from(atob(ASSEMBLED), (c) => c.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(binary),
    { connections: { memory } },
  );
  const { reserve } = exports as unknown as { readonly reserve: Reserve };
  return reserve;
}

/**
 * `reserve.wat`, assembled. After a change there, the test of this constant
 * prints the new text.
 */
export const ASSEMBLED = "" +
  "AGFzbQEAAAABCQFgBH9/fHwBfAIaAQtjb25uZWN0aW9ucwZtZW1vcnkCAwGAgAQDAgEABwsBB3Jl" +
  "c2VydmUAAAqZAQGWAQEEfiADsSEHA0AgAP4RAwAhBCAEQiiIIAGtUgRARAAAAAAAAPC/DwsgBEL/" +
  "/////x+DIQUgBUL//////x9RBEBEAAAAAAAA8L8PCyAFIAdaBEBEAAAAAAAAAMAPCyAFIAKxfCEG" +
  "IAQgACAEIAQgBX0gBiAHIAYgB1gbfP5JAwBSDQALIAW6RAAAAAAAAADAIAYgB1gbCw==";
