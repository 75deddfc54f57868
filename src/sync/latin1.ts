// Bytes as text, a character for each (ISO 8859-1). A decoder that is asked for
// latin1 decodes windows-1252, which has others for 0x80 to 0x9f.

/** Up to here a decoder takes longer to be made. */
const SHORT = 128;

export function latin1(bytes: Uint8Array): string {
  if (bytes.length > SHORT) {
    return new TextDecoder("utf-16le").decode(new Uint16Array(bytes));
  }
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
