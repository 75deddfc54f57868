// Tables of 16 bytes that AES comes down to, each looked up with half a byte.
//
// Bytes are written as k + i t over the field of 16 elements (after M. Hamburg,
// "Accelerating AES with Vector Permute Instructions", 2009). Inversion in this
// field is a table; from inverses 1/io and 1/jo of the small field follows that
// in the large one, by a linear map. So no address depends on a secret.

/** The product in the field of FIPS 197 section 4.2. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if (b >> bit & 1) product ^= a << bit;
  }
  for (let bit = 14; bit >= 8; bit--) {
    if (product >> bit & 1) product ^= 0x11b << (bit - 8);
  }
  return product;
}

function power(a: number, exponent: number): number {
  let result = 1;
  for (let k = 0; k < exponent; k++) result = times(result, a);
  return result;
}

/** 0 for 0. */
const inverse = (a: number): number => power(a, 254);

function first(wanted: (a: number) => boolean): number {
  for (let a = 2; a < 256; a++) if (wanted(a)) return a;
  throw new RangeError("Cannot find an element of the field");
}

/** Makes the elements other than 0 of the field of 16. */
const small = first((a) =>
  power(a, 15) === 1 && power(a, 5) !== 1 && power(a, 3) !== 1
);

/** The elements of the field of 16, by their half bytes. */
const SMALL = Array.from({ length: 16 }, (_, half) => {
  let element = 0;
  for (let bit = 0; bit < 4; bit++) {
    if (half >> bit & 1) element ^= power(small, bit);
  }
  return element;
});

/** Trace and norm of it are the same element. */
const t = first((a) =>
  power(a, 15) !== 1 && (a ^ power(a, 16)) === times(a, power(a, 16))
);
const norm = times(t, power(t, 16));

const ELEMENTS = Array.from(
  { length: 256 },
  (_, code) => (SMALL[code & 15] ?? 0) ^ times(SMALL[code >> 4] ?? 0, t),
);

/** How a byte is written: i above k. */
const encode = (byte: number): number => ELEMENTS.indexOf(byte);

/** What stands for infinity: a lookup with it, whatever is added, gives 0. */
const INFINITE = 0x80;

function table(value: (element: number) => number): readonly number[] {
  return SMALL.map(value);
}

/** The linear part of the substitution (FIPS 197 section 5.1.1). */
function affine(byte: number): number {
  let result = 0;
  for (const by of [0, 1, 2, 3, 4]) {
    result ^= (byte << by | byte >> (8 - by)) & 0xff;
  }
  return result;
}

// With p = 1/io and q = 1/jo the inverse of k + i t is p + (p + (p + q)/n)/n t.
const over = (a: number) => times(a, inverse(norm));
const substituteIo = (p: number) => affine(p ^ times(over(p ^ over(p)), t));
const substituteJo = (q: number) => affine(times(over(over(q)), t));

const substitution = (map: (byte: number) => number) => ({
  io: table((element) => map(substituteIo(inverse(element)))),
  jo: table((element) => map(substituteJo(inverse(element)))),
});

export const TABLES = {
  encodeLow: Array.from({ length: 16 }, (_, half) => encode(half)),
  encodeHigh: Array.from({ length: 16 }, (_, half) => encode(half << 4)),
  inverse: table((a) => a === 0 ? INFINITE : encode(inverse(a))),
  normOver: table((a) => a === 0 ? INFINITE : encode(times(norm, inverse(a)))),
  /** The substitution without its constant, and twice of it. */
  once: substitution(encode),
  twice: substitution((byte) => encode(times(2, byte))),
  /** The same not encoded, for the last round and for keys. */
  plain: substitution((byte) => byte),
};

/** The constant of the substitution. */
export const CONSTANT = 0x63;
