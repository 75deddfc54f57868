// SHA-256 (FIPS 180-4) of a few bytes. That of the runtime answers later, and
// `node:crypto` takes a third of the start to load.

const BLOCK_BYTES = 64;
const ROUNDS = 64;
const PRIMES = firstPrimes(ROUNDS);

/** Sections 5.3.3 and 4.2.2: fractional parts of the roots of primes. */
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));

export function sha256(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = pad(data);
  const state = Uint32Array.from(START);
  const schedule = new Uint32Array(ROUNDS);
  for (let at = 0; at < padded.byteLength; at += BLOCK_BYTES) {
    expand(padded, at, schedule);
    compress(schedule, state);
  }
  // It may have been a key.
  new Uint8Array(padded.buffer).fill(0);
  schedule.fill(0);
  const digest = new DataView(new ArrayBuffer(state.byteLength));
  state.forEach((word, k) => digest.setUint32(4 * k, word));
  return new Uint8Array(digest.buffer);
}

/** Section 5.1.1: a bit, zeros, and the length in bits. */
function pad(data: Uint8Array): DataView<ArrayBuffer> {
  const blocks = Math.ceil((data.length + 1 + 8) / BLOCK_BYTES);
  const padded = new Uint8Array(blocks * BLOCK_BYTES);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, 8n * BigInt(data.length));
  return view;
}

/** Section 6.2.2, step 1. */
function expand(message: DataView, at: number, w: Uint32Array): void {
  for (let t = 0; t < 16; t++) w[t] = message.getUint32(at + 4 * t);
  for (let t = 16; t < ROUNDS; t++) {
    const [x = 0, y = 0] = [w[t - 15], w[t - 2]];
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3);
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10);
    w[t] = (w[t - 16] ?? 0) + s0 + (w[t - 7] ?? 0) + s1;
  }
}

/** Section 6.2.2, steps 2 to 4. */
function compress(w: Uint32Array, state: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < ROUNDS; t++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const t1 = h + s1 + chosen + (CONSTANTS[t] ?? 0) + (w[t] ?? 0);
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    [h, g, f, e] = [g, f, e, d + t1 | 0];
    [d, c, b, a] = [c, b, a, t1 + s0 + majority | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, k) => {
    state[k] = (state[k] ?? 0) + word;
  });
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
  return Math.floor((root % 1) * 2 ** 32);
}
