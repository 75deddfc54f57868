// WebAssembly of AES (FIPS 197): single blocks, and counter mode (NIST SP
// 800-38A) with a new key for each message. It takes the same time whatever key
// and message are.
import { CONSTANT, TABLES } from "./aes_tables.ts";
import { each, get, set } from "./wat.ts";

/** Blocks that go through the rounds together. */
const BLOCKS = [0, 1, 2, 3, 4, 5];

// Offsets from $s, where the module works.
const STAGE = 0;
const KEYS = 16 * BLOCKS.length;
const MAX_ROUNDS = 14;
const CONSTANTS = KEYS + 16 * (MAX_ROUNDS + 1);

/**
 * Vectors that functions take from memory: as constants, V8 would make them anew,
 * of several instructions, wherever they are used.
 */
const constants: string[] = [];

function constant(bytes: readonly number[]): string {
  const text = bytes.join(" ");
  if (!constants.includes(text)) constants.push(text);
  const offset = CONSTANTS + 16 * constants.indexOf(text);
  return `(v128.load offset=${offset} ${get("s")})`;
}

const splat = (byte: number) => constant(Array(16).fill(byte));

/** Lookups: indices from 128 on give 0 on every processor. */
const look = (table: string, x: string) =>
  `(i8x16.relaxed_swizzle ${table} ${x})`;

const xor = (a: string, b: string) => `(v128.xor ${a} ${b})`;
const high = (x: string) => `(i8x16.shr_u ${x} (i32.const 4))`;

/** Of column c and row r of the state: byte 4 c + r (FIPS 197 section 3.4). */
function permutation(
  from: (c: number, r: number) => [number, number],
): readonly number[] {
  return Array.from({ length: 16 }, (_, at) => {
    const [c, r] = from(at >> 2, at & 3);
    return 4 * (c & 3) + (r & 3);
  });
}

/** ShiftRows. */
const ROWS = permutation((c, r) => [c + r, r]);
/** ShiftRows, and the next row; the one before. */
const ROWS_NEXT = permutation((c, r) => [c + (r + 1 & 3), r + 1]);
const ROWS_BEFORE = permutation((c, r) => [c + (r + 3 & 3), r + 3]);
const NEXT = permutation((c, r) => [c, r + 1]);

/** The same step for all blocks, with one vector for all of them. */
function step(
  vector: readonly number[],
  ns: readonly number[],
  text: (n: number) => string,
): string {
  return set("c", constant(vector)) + each(ns, text);
}

const C = get("c");
const of = (name: string) => (n: number) => get(`${name}${n}`);
const [b, i, j, k, p, q] = [
  of("b"),
  of("i"),
  of("j"),
  of("k"),
  of("p"),
  of("q"),
];

function encode(ns: readonly number[]): string {
  return step(
    Array(16).fill(0x0f),
    ns,
    (n) => set(`k${n}`, `(v128.and ${b(n)} ${C})`) + set(`i${n}`, high(b(n))),
  ) +
    step(TABLES.encodeLow, ns, (n) => set(`b${n}`, look(C, k(n)))) +
    step(TABLES.encodeHigh, ns, (n) => set(`b${n}`, xor(b(n), look(C, i(n)))));
}

/** Inverts the bytes of b, into p and q. */
function invert(ns: readonly number[]): string {
  return step(Array(16).fill(0x0f), ns, (n) =>
    set(`i${n}`, high(b(n))) +
    set(`k${n}`, `(v128.and ${b(n)} ${C})`) +
    set(`j${n}`, xor(i(n), k(n)))) +
    step(TABLES.normOver, ns, (n) => set(`k${n}`, look(C, k(n)))) +
    step(
      TABLES.inverse,
      ns,
      (n) =>
        set(`p${n}`, look(C, xor(look(C, i(n)), k(n)))) +
        set(`q${n}`, look(C, xor(look(C, j(n)), k(n)))) +
        set(`p${n}`, xor(p(n), j(n))) +
        set(`q${n}`, xor(q(n), i(n))),
    );
}

interface Substitution {
  readonly io: readonly number[];
  readonly jo: readonly number[];
}

function substitute(
  to: string,
  { io, jo }: Substitution,
  ns: readonly number[],
): string {
  return step(io, ns, (n) => set(`${to}${n}`, look(C, p(n)))) +
    step(jo, ns, (n) => set(`${to}${n}`, xor(get(`${to}${n}`), look(C, q(n)))));
}

/** MixColumns of shifted rows: 2a + 3b + c + d, for a and the rows below it. */
function mix(ns: readonly number[]): string {
  return substitute("i", TABLES.once, ns) +
    substitute("k", TABLES.twice, ns) +
    step(ROWS, ns, (n) => set(`j${n}`, look(k(n), C))) +
    step(ROWS_NEXT, ns, (n) => set(`j${n}`, xor(j(n), look(i(n), C)))) +
    step(ROWS_BEFORE, ns, (n) => set(`i${n}`, look(i(n), C))) +
    step(
      NEXT,
      ns,
      (n) => set(`b${n}`, xor(xor(i(n), j(n)), xor(look(j(n), C), get("key")))),
    );
}

const locals = (ns: readonly number[]) =>
  "(local $c v128) (local $key v128)" +
  each(ns, (n) => each([..."bikjpq"], (name) => `(local $${name}${n} v128)`));

/** Encrypts what is staged, with the keys of $rounds rounds. */
const blocks = `(func $blocks (param $s i32) (param $rounds i32)
  (local $at i32) (local $last i32)
  ${locals(BLOCKS)}
  ${set("key", `(v128.load offset=${KEYS} ${get("s")})`)}
  ${
  each(BLOCKS, (n) =>
    set(`b${n}`, `(v128.load offset=${STAGE + 16 * n} ${get("s")})`))
}
  ${encode(BLOCKS)}
  ${each(BLOCKS, (n) => set(`b${n}`, xor(b(n), get("key"))))}
  ${set("at", `(i32.add ${get("s")} (i32.const 16))`)}
  ${
  set("last", `(i32.add ${get("s")} (i32.shl ${get("rounds")} (i32.const 4)))`)
}
  (loop $next
    ${set("key", `(v128.load offset=${KEYS} ${get("at")})`)}
    ${invert(BLOCKS)}
    ${mix(BLOCKS)}
    (br_if $next (i32.ne ${get("last")}
      (local.tee $at (i32.add ${get("at")} (i32.const 16))))))
  ${set("key", `(v128.load offset=${KEYS} ${get("at")})`)}
  ${invert(BLOCKS)}
  ${substitute("i", TABLES.plain, BLOCKS)}
  ${
  step(ROWS, BLOCKS, (n) =>
    `(v128.store offset=${STAGE + 16 * n} ${get("s")}
      ${xor(look(i(n), C), get("key"))})`)
})`;

/** The substitution of the bytes of a word. */
const word = `(func $word (param $s i32) (param $word i32) (result i32)
  ${locals([0])}
  ${set("b0", `(i32x4.splat ${get("word")})`)}
  ${encode([0])}
  ${invert([0])}
  ${substitute("i", TABLES.plain, [0])}
  (i32x4.extract_lane 0 ${xor(i(0), splat(CONSTANT))}))`;

/**
 * Expands a key (FIPS 197 section 5.2); returns the number of rounds. The keys
 * are then encoded, and the constant of the substitution added to them.
 */
const expand = `(func $expand (param $s i32) (param $key i32) (param $size i32)
    (result i32)
  (local $at i32) (local $end i32) (local $i i32) (local $rcon i32)
  (local $word i32) (local $rounds i32)
  ${
  set(
    "rounds",
    `(i32.add (i32.shr_u ${get("size")} (i32.const 2)) (i32.const 6))`,
  )
}
  ${set("at", `(i32.add ${get("s")} (i32.const ${KEYS}))`)}
  ${
  set(
    "end",
    `(i32.add ${get("at")} (i32.shl (i32.add ${get("rounds")} (i32.const 1))
    (i32.const 4)))`,
  )
}
  (loop $next
    (i64.store (i32.add ${get("at")} ${get("i")})
      (i64.load (i32.add ${get("key")} ${get("i")})))
    (br_if $next (i32.ne ${get("size")}
      (local.tee $i (i32.add ${get("i")} (i32.const 8))))))
  ${set("at", `(i32.add ${get("at")} ${get("size")})`)}
  ${set("word", `(i32.load (i32.sub ${get("at")} (i32.const 4)))`)}
  ${set("i", "(i32.const 0)")}
  ${set("rcon", "(i32.const 1)")}
  (loop $next
    (if (i32.eqz ${get("i")})
      (then
        ${
  set(
    "word",
    `(i32.xor ${get("rcon")}
          (call $word ${get("s")} (i32.rotr ${get("word")} (i32.const 8))))`,
  )
}
        ${
  set(
    "rcon",
    `(i32.xor (i32.shl ${get("rcon")} (i32.const 1))
          (i32.mul (i32.shr_u ${get("rcon")} (i32.const 7))
            (i32.const 0x11b)))`,
  )
})
      (else (if (i32.and (i32.eq ${get("i")} (i32.const 16))
          (i32.eq ${get("size")} (i32.const 32)))
        (then ${set("word", `(call $word ${get("s")} ${get("word")})`)}))))
    ${
  set(
    "word",
    `(i32.xor ${get("word")}
      (i32.load (i32.sub ${get("at")} ${get("size")})))`,
  )
}
    (i32.store ${get("at")} ${get("word")})
    ${set("i", `(i32.add ${get("i")} (i32.const 4))`)}
    (if (i32.eq ${get("i")} ${get("size")})
      (then ${set("i", "(i32.const 0)")}))
    (br_if $next (i32.lt_u
      (local.tee $at (i32.add ${get("at")} (i32.const 4))) ${get("end")})))
  (call $encodeKeys ${get("s")} (i32.add ${get("s")} (i32.const ${KEYS}))
    (i32.sub ${get("end")} (i32.const 16)))
  ${get("rounds")})`;

const encodeKeys = `(func $encodeKeys
    (param $s i32) (param $at i32) (param $last i32)
  ${locals([0])}
  ${set("b0", `(v128.load ${get("at")})`)}
  (loop $next
    ${encode([0])}
    (v128.store ${get("at")} ${b(0)})
    ${set("at", `(i32.add ${get("at")} (i32.const 16))`)}
    ${set("b0", xor(`(v128.load ${get("at")})`, splat(CONSTANT)))}
    (br_if $next (i32.ne ${get("at")} ${get("last")})))
  (v128.store ${get("at")} ${b(0)}))`;

/**
 * What a master key has left behind: it may go out of use, and keys of messages
 * take the place of the first rounds only.
 */
const wipe = each(
  Array.from({ length: CONSTANTS / 16 }, (_, k) => 16 * k),
  (offset) =>
    `(v128.store offset=${offset} ${get("s")} (i32x4.splat (i32.const 0)))`,
);

/** ecb(s, key, size of the key, at, blocks), in place. */
const ecb = `(func (export "ecb") (param $s i32) (param $key i32)
    (param $size i32) (param $at i32) (param $count i32)
  (local $rounds i32) (local $i i32) (local $end i32)
  ${set("rounds", `(call $expand ${get("s")} ${get("key")} ${get("size")})`)}
  (block $done (loop $next
    (br_if $done (i32.eqz ${get("count")}))
    ${
  set(
    "end",
    `(i32.shl (select ${get("count")} (i32.const ${BLOCKS.length})
      (i32.lt_u ${get("count")} (i32.const ${BLOCKS.length})))
      (i32.const 4))`,
  )
}
    ${
  move(
    `offset=${STAGE} (i32.add ${get("s")} ${get("i")})`,
    `(i32.add ${get("at")} ${get("i")})`,
  )
}
    (call $blocks ${get("s")} ${get("rounds")})
    ${
  move(
    `(i32.add ${get("at")} ${get("i")})`,
    `offset=${STAGE} (i32.add ${get("s")} ${get("i")})`,
  )
}
    ${set("at", `(i32.add ${get("at")} ${get("end")})`)}
    ${
  set(
    "count",
    `(i32.sub ${get("count")} (i32.shr_u ${get("end")} (i32.const 4)))`,
  )
}
    (br $next)))
  ${wipe})`;

function move(to: string, from: string): string {
  return `${set("i", "(i32.const 0)")}
    (loop $move
      (v128.store ${to} (v128.load ${from}))
      (br_if $move (i32.lt_u
        (local.tee $i (i32.add ${get("i")} (i32.const 16))) ${get("end")})))`;
}

const swapped = (x: string) =>
  `(i32.or
  (i32.and (i32.rotl ${x} (i32.const 8)) (i32.const 0x00ff00ff))
  (i32.and (i32.rotr ${x} (i32.const 8)) (i32.const 0xff00ff00)))`;

/**
 * ctr(s, key, size of the key, counter, at, size), in place. Only the last four
 * bytes of the counter count, without a carry to the others.
 */
const ctr = `(func (export "ctr") (param $s i32) (param $key i32)
    (param $keySize i32) (param $counter i32) (param $at i32) (param $size i32)
  (local $rounds i32) (local $number i32) (local $i i32) (local $block v128)
  ${set("rounds", `(call $expand ${get("s")} ${get("key")} ${get("keySize")})`)}
  ${set("block", `(v128.load ${get("counter")})`)}
  ${set("number", `(i32.load offset=12 ${get("counter")})`)}
  ${set("number", swapped(get("number")))}
  (block $done (loop $next
    (br_if $done (i32.eqz ${get("size")}))
    ${
  each(BLOCKS, (n) =>
    `(v128.store offset=${STAGE + 16 * n} ${get("s")}
      (i32x4.replace_lane 3 ${get("block")} ${swapped(get("number"))}))
    ${set("number", `(i32.add ${get("number")} (i32.const 1))`)}`)
}
    (call $blocks ${get("s")} ${get("rounds")})
    (if (i32.lt_u ${get("size")} (i32.const ${16 * BLOCKS.length}))
      (then (call $tail ${get("s")} ${get("at")} ${get("size")}) (return)))
    ${
  each(BLOCKS, (n) =>
    `(v128.store offset=${16 * n} ${get("at")}
      ${
      xor(
        `(v128.load offset=${16 * n} ${get("at")})`,
        `(v128.load offset=${STAGE + 16 * n} ${get("s")})`,
      )
    })`)
}
    ${set("at", `(i32.add ${get("at")} (i32.const ${16 * BLOCKS.length}))`)}
    ${set("size", `(i32.sub ${get("size")} (i32.const ${16 * BLOCKS.length}))`)}
    (br $next))))`;

const tail = `(func $tail (param $s i32) (param $at i32) (param $size i32)
  (block $bytes (loop $next
    (br_if $bytes (i32.lt_u ${get("size")} (i32.const 16)))
    (v128.store ${get("at")} (v128.xor (v128.load ${get("at")})
      (v128.load offset=${STAGE} ${get("s")})))
    ${
  each(
    ["at", "s"],
    (name) => set(name, `(i32.add ${get(name)} (i32.const 16))`),
  )
}
    ${set("size", `(i32.sub ${get("size")} (i32.const 16))`)}
    (br $next)))
  (block $done (loop $next
    (br_if $done (i32.eqz ${get("size")}))
    (i32.store8 ${get("at")} (i32.xor (i32.load8_u ${get("at")})
      (i32.load8_u offset=${STAGE} ${get("s")})))
    ${
  each(["at", "s"], (name) => set(name, `(i32.add ${get(name)} (i32.const 1))`))
}
    ${set("size", `(i32.sub ${get("size")} (i32.const 1))`)}
    (br $next))))`;

/** Writes the vectors; to be called once. */
const begin = () =>
  `(func (export "begin") (param $s i32)
  ${
    each([...constants.keys()], (k) =>
      `(v128.store offset=${CONSTANTS + 16 * k} ${get("s")}
    (v128.const i8x16 ${constants[k]}))`)
  })`;

/** Bytes that it needs there. */
export const AES_SCRATCH_BYTES = CONSTANTS + 16 * constants.length;

export function aesWat(): string {
  return `(module (import "engine" "memory" (memory 1))
${[begin(), blocks, word, encodeKeys, expand, ecb, tail, ctr].join("\n")})`;
}
