// SHA-256 (FIPS 180-4) of a few bytes. That of the runtime answers later, and
// `node:crypto` takes a third of the start to load.
//
// What it works with may be a key that has to vanish: it lies in memory that
// the collector does not move, and is overwritten.

const BLOCK_BYTES = 64;
const ROUNDS = 64;
const DIGEST_WORDS = 8;
export const SHA256_BYTES = 4 * DIGEST_WORDS;
export const SHA256_BLOCK_BYTES = BLOCK_BYTES;
const PRIMES = firstPrimes(ROUNDS);

/** Sections 5.3.3 and 4.2.2: fractional parts of the roots of primes. */
const START = PRIMES.slice(0, DIGEST_WORDS).map((prime) =>
  fraction(Math.sqrt(prime))
);
const CONSTANTS = Int32Array.from(
  PRIMES,
  (prime) => fraction(Math.cbrt(prime)),
);

export function sha256(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = pad(data);
  const state = words(DIGEST_WORDS);
  const schedule = words(ROUNDS);
  state.set(START);
  for (let at = 0; at < padded.byteLength; at += BLOCK_BYTES) {
    expand(padded, at, schedule);
    compress(schedule, state);
  }
  new Uint8Array(padded.buffer).fill(0);
  schedule.fill(0);
  const digest = new DataView(new ArrayBuffer(SHA256_BYTES));
  for (let k = 0; k < DIGEST_WORDS; k++) digest.setInt32(4 * k, state[k] ?? 0);
  state.fill(0);
  return new Uint8Array(digest.buffer);
}

/** In base64, for what is named by its hash. */
export function sha256Text(data: Uint8Array): string {
  return sha256(data).toBase64();
}

/** A typed array that makes its own buffer has it in the heap, if it is short. */
function words(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(4 * count));
}

/** Section 5.1.1: a bit, zeros, and the length in bits. */
function pad(data: Uint8Array): DataView<ArrayBuffer> {
  const blocks = Math.ceil((data.length + 1 + 8) / BLOCK_BYTES);
  const padded = new Uint8Array(new ArrayBuffer(blocks * BLOCK_BYTES));
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, 8n * BigInt(data.length));
  return view;
}

/** Section 6.2.2, step 1. */
function expand(message: DataView, at: number, w: Int32Array): void {
  for (let t = 0; t < 16; t++) w[t] = message.getInt32(at + 4 * t);
  for (let t = 16; t < ROUNDS; t++) {
    const x = w[t - 15] ?? 0;
    const y = w[t - 2] ?? 0;
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3);
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10);
    w[t] = (w[t - 16] ?? 0) + s0 + (w[t - 7] ?? 0) + s1;
  }
}

/** Section 6.2.2, steps 2 to 4. An array of the variables would stay behind. */
function compress(w: Int32Array, state: Int32Array): void {
  let a = state[0] ?? 0, b = state[1] ?? 0, c = state[2] ?? 0;
  let d = state[3] ?? 0, e = state[4] ?? 0, f = state[5] ?? 0;
  let g = state[6] ?? 0, h = state[7] ?? 0;
  for (let t = 0; t < ROUNDS; t++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const t1 = h + s1 + chosen + (CONSTANTS[t] ?? 0) + (w[t] ?? 0) | 0;
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g, g = f, f = e, e = d + t1 | 0;
    d = c, c = b, b = a, a = t1 + s0 + majority | 0;
  }
  add(state, 0, a), add(state, 1, b), add(state, 2, c), add(state, 3, d);
  add(state, 4, e), add(state, 5, f), add(state, 6, g), add(state, 7, h);
}

function add(state: Int32Array, at: number, word: number): void {
  state[at] = (state[at] ?? 0) + word;
}

function rotr(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function firstPrimes(count: number): readonly number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32) | 0;
}
