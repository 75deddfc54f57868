/** The state that SHA-1 begins with (FIPS 180-4 section 5.3.1). */
export const SHA1_START: readonly number[] = [
  0x67452301,
  0xefcdab89,
  0x98badcfe,
  0x10325476,
  0xc3d2e1f0,
];

/**
 * The compression function of SHA-1 (FIPS 180-4 section 6.1.2), step by step:
 * slow and easy to compare with the text.
 *
 * @param state Five words.
 * @param block 64 bytes.
 * @returns Five words.
 */
export function sha1Block(
  state: readonly number[],
  block: Uint8Array,
): number[] {
  const view = new DataView(block.buffer, block.byteOffset, 64);
  const schedule = Array.from({ length: 16 }, (_, t) => view.getUint32(4 * t));
  const w = (t: number) => schedule[t] ?? 0;
  for (let t = 16; t < 80; t++) {
    schedule.push(rotl(w(t - 3) ^ w(t - 8) ^ w(t - 14) ^ w(t - 16), 1));
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let t = 0; t < 80; t++) {
    const [f, k] = round(t, b, c, d);
    [a, b, c, d, e] = [rotl(a, 5) + f + e + k + w(t) | 0, a, rotl(b, 30), c, d];
  }
  return [a, b, c, d, e].map((word, i) => (word + (state[i] ?? 0)) >>> 0);
}

/** The function and the constant of step `t`. */
function round(t: number, b: number, c: number, d: number): [number, number] {
  if (t < 20) return [(b & c) ^ (~b & d), 0x5a827999];
  if (t < 40) return [b ^ c ^ d, 0x6ed9eba1];
  if (t < 60) return [(b & c) ^ (b & d) ^ (c & d), 0x8f1bbcdc];
  return [b ^ c ^ d, 0xca62c1d6];
}

function rotl(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
