/**
 * Bytes from hexadecimal digits. Unlike the originals it reads nothing into
 * text that is not hexadecimal (SATP section 2.4).
 *
 * @returns undefined for an odd number of digits or any other character
 */
export function bytesFromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}
