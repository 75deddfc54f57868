// Packed numbers in messages, which are text: base64 (RFC 4648 section 4) of
// whole groups, so that nothing is padded.

const GROUPS = /^(?:[A-Za-z0-9+/]{4})*$/;

/** @param bytes As many as are a multiple of 3 */
export function packed(bytes: Uint8Array<ArrayBuffer>): string {
  return bytes.toBase64();
}

/** @returns undefined for anything else, or more than there may be */
export function unpacked(
  text: string,
  most: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (text.length > most / 3 * 4 || !GROUPS.test(text)) return undefined;
  return Uint8Array.fromBase64(text);
}
