// WebAssembly of HMAC-SHA1 (RFC 2104, FIPS 180-4), eight messages side by side:
// one in each lane of two vectors of four words. A vector alone would wait for
// its own results half of the time; two fill each other's gaps.
import { each, get, set } from "./wat.ts";

const LANES = 8;
const UNITS = [0, 1];

// Offsets from $s, where the module works.
const STATE = 0;
const OUTER = 160;
const MASK = 320;
const SIZES = 352;
const PLACES = 480;
const FEWEST = 512;
const MOST = 516;
const BUFFERS = 528;
const SCHEDULE = 1552;
const UNIT_STATE = 80;
const UNIT_SCHEDULE = 96 * 16;

const JOBS = SCHEDULE + 2 * UNIT_SCHEDULE;
const CAPACITY = 64;

/** Bytes that it needs there, without the jobs. */
export const HMAC_SCRATCH_BYTES = JOBS;

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const K = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

type Choice = (b: string, c: string, d: string) => string;

const ch: Choice = (b, c, d) =>
  `(v128.xor ${d} (v128.and ${b} (v128.xor ${c} ${d})))`;
const parity: Choice = (b, c, d) => `(v128.xor ${b} (v128.xor ${c} ${d}))`;
const maj: Choice = (b, c, d) =>
  `(i32x4.add (v128.and ${c} ${d}) (v128.and ${b} (v128.xor ${c} ${d})))`;

function rotate(x: string, bits: number): string {
  return `(v128.or (i32x4.shl ${x} (i32.const ${bits}))
    (i32x4.shr_u ${x} (i32.const ${32 - bits})))`;
}

/** A word of the schedule of a unit, counted from the round at $q. */
function word(unit: number, t: number): string {
  return `offset=${SCHEDULE + unit * UNIT_SCHEDULE + 16 * t} (local.get $q)`;
}

/** The variable that has the part of `a`, `b` ... in a round. */
function part(unit: number, letter: number, t: number): string {
  return "abcde"[(letter + 5 - t % 5) % 5] + `${unit}`;
}

// The three words last made stay at hand: through memory, each would wait for
// the one three rounds before it.
function nextWord(unit: number, t: number): string {
  return `
    ${
    set(
      `x${unit}`,
      `(v128.xor (v128.xor ${get(`p${unit}`)} (v128.load ${word(unit, t + 8)}))
      (v128.xor (v128.load ${word(unit, t + 2)}) ${get(`w${unit}`)}))`,
    )
  }
    ${set(`p${unit}`, get(`q${unit}`))}
    ${set(`q${unit}`, get(`r${unit}`))}
    ${
    set(
      `r${unit}`,
      `(v128.or (i32x4.add ${get(`x${unit}`)} ${get(`x${unit}`)})
      (i32x4.shr_u ${get(`x${unit}`)} (i32.const 31)))`,
    )
  }
    (v128.store ${word(unit, t + 16)} ${get(`r${unit}`)})`;
}

function round(unit: number, t: number, f: Choice, makesWord: boolean): string {
  const [a = "", b = "", c = "", d = "", e = ""] = [0, 1, 2, 3, 4]
    .map((letter) => part(unit, letter, t));
  return `
    ${set(`w${unit}`, `(v128.load ${word(unit, t)})`)}
    ${makesWord ? nextWord(unit, t) : ""}
    ${
    set(
      e,
      `(i32x4.add (i32x4.add
      (i32x4.add ${get(e)} (i32x4.add ${get(`w${unit}`)} ${get("k")}))
      ${f(get(b), get(c), get(d))}) ${rotate(get(a), 5)})`,
    )
  }
    ${set(b, rotate(get(b), 30))}`;
}

// As a loop over five rounds: unrolled, the function would be so large that
// the compiler of V8 saves on the allocation of registers.
function rounds(
  count: number,
  k: number,
  f: Choice,
  makesWords = true,
): string {
  return `
  ${set("k", `(i32x4.splat (i32.const ${K[k]}))`)}
  ${set("end", `(i32.add ${get("q")} (i32.const ${16 * count}))`)}
  (loop $next
    ${
    each(
      [0, 1, 2, 3, 4],
      (t) => each(UNITS, (unit) => round(unit, t, f, makesWords)),
    )
  }
    (br_if $next (i32.ne ${get("end")}
      (local.tee $q (i32.add ${get("q")} (i32.const 80))))))`;
}

/** Adds a block, its words being in the schedule, where the mask is set. */
function compress(): string {
  const state = (unit: number, k: number) =>
    `offset=${STATE + unit * UNIT_STATE + 16 * k} ${get("s")}`;
  return `(func $compress (param $s i32)
  (local $q i32) (local $end i32) (local $k v128)
  ${
    each(
      UNITS,
      (unit) =>
        each([..."abcdewxpqr"], (name) => `(local $${name}${unit} v128)`),
    )
  }
  ${set("q", get("s"))}
  ${
    each(UNITS, (unit) =>
      each([0, 1, 2, 3, 4], (k) =>
        set(`${"abcde"[k]}${unit}`, `(v128.load ${state(unit, k)})`)) +
      each([0, 1, 2], (k) =>
        set(`${"pqr"[k]}${unit}`, `(v128.load ${word(unit, 13 + k)})`)))
  }
  ${rounds(20, 0, ch)}
  ${rounds(20, 1, parity)}
  ${rounds(20, 2, maj)}
  ${rounds(5, 3, parity)}
  ${rounds(15, 3, parity, false)}
  ${
    each(UNITS, (unit) =>
      each([0, 1, 2, 3, 4], (k) =>
        `(v128.store ${state(unit, k)}
      (i32x4.add (v128.load ${state(unit, k)})
        (v128.and ${get(`${"abcde"[k]}${unit}`)}
          (v128.load offset=${MASK + 16 * unit} ${get("s")}))))`))
  })`;
}

function shuffle(words: readonly number[], a: string, b: string): string {
  const bytes = words.flatMap((w) => [0, 1, 2, 3].map((k) => 4 * w + k));
  return `(i8x16.shuffle ${bytes.join(" ")} ${get(a)} ${get(b)})`;
}

/** Takes the blocks at the places of the lanes apart, into the schedule. */
function load(): string {
  const quarter = (unit: number, q: number) => {
    const swapped = (lane: number) =>
      set(
        `t${lane}`,
        `(i8x16.shuffle 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12
      (local.tee $v (v128.load offset=${16 * q}
        (i32.load offset=${PLACES + 16 * unit + 4 * lane} ${get("s")})))
      ${get("v")})`,
      );
    const to = (k: number, value: string) =>
      `(v128.store offset=${
        SCHEDULE + unit * UNIT_SCHEDULE + 16 * (4 * q + k)
      } ${get("s")} ${value})`;
    return `
    ${each([0, 1, 2, 3], swapped)}
    ${set("v", shuffle([0, 4, 1, 5], "t0", "t1"))}
    ${set("u", shuffle([0, 4, 1, 5], "t2", "t3"))}
    ${to(0, shuffle([0, 1, 4, 5], "v", "u"))}
    ${to(1, shuffle([2, 3, 6, 7], "v", "u"))}
    ${set("v", shuffle([2, 6, 3, 7], "t0", "t1"))}
    ${set("u", shuffle([2, 6, 3, 7], "t2", "t3"))}
    ${to(2, shuffle([0, 1, 4, 5], "v", "u"))}
    ${to(3, shuffle([2, 3, 6, 7], "v", "u"))}`;
  };
  return `(func $load (param $s i32)
  (local $v v128) (local $u v128)
  ${each([0, 1, 2, 3], (k) => `(local $t${k} v128)`)}
  ${each(UNITS, (unit) => each([0, 1, 2, 3], (q) => quarter(unit, q)))})`;
}

const at = (base: string, offset: number) =>
  `(i32.add ${get(base)} (i32.const ${offset}))`;

const ofLane = (shift: number) =>
  `(i32.add ${get("s")} (i32.shl ${get("lane")} (i32.const ${shift})))`;

/** The job that an entry of the order leads to. */
const jobAt = (entry: string) =>
  `(i32.add (i32.add ${get("s")} (i32.const ${JOBS}))
      (i32.shl (i32.and (i32.load ${entry}) (i32.const ${CAPACITY - 1}))
        (i32.const 4)))`;

/** One pass over the lanes; those that have no job do the first one again. */
function lanes(body: string): string {
  return `
  ${set("lane", "(i32.const 0)")}
  ${set("buffer", at("s", BUFFERS))}
  (loop $next
    ${
    set(
      "job",
      jobAt(`(select
        (i32.add ${get("order")} (i32.shl ${get("lane")} (i32.const 2)))
        ${get("order")} (i32.lt_u ${get("lane")} ${get("count")}))`),
    )
  }
    ${body}
    ${set("buffer", at("buffer", 128))}
    (br_if $next (i32.ne (i32.const ${LANES})
      (local.tee $lane ${at("lane", 1)}))))`;
}

/** The state behind a pad combined with the keys (RFC 2104 section 2). */
const pad = `(func $pad
    (param $order i32) (param $count i32) (param $s i32) (param $pad i32)
  (local $lane i32) (local $job i32) (local $buffer i32) (local $key i32)
  (local $pads v128)
  ${set("pads", `(i32x4.splat ${get("pad")})`)}
  ${
  lanes(`
    (i32.store offset=${PLACES} ${ofLane(2)} ${get("buffer")})
    ${set("key", `(i32.load ${get("job")})`)}
    (v128.store ${get("buffer")}
      (v128.xor ${get("pads")} (v128.load ${get("key")})))
    (v128.store offset=16 ${get("buffer")}
      (v128.xor ${get("pads")} (v128.load32_zero offset=16 ${get("key")})))
    ${
    each(
      [32, 48],
      (k) => `(v128.store offset=${k} ${get("buffer")} ${get("pads")})`,
    )
  }`)
}
  ${
  each(UNITS, (unit) =>
    each([0, 1, 2, 3, 4], (k) =>
      `(v128.store offset=${STATE + unit * UNIT_STATE + 16 * k} ${get("s")}
    (i32x4.splat (i32.const ${START[k]})))`))
}
  (call $load ${get("s")})
  (call $compress ${get("s")}))`;

const swapped = (x: string) =>
  `(i32.or
  (i32.and (i32.rotl ${x} (i32.const 8)) (i32.const 0x00ff00ff))
  (i32.and (i32.rotr ${x} (i32.const 8)) (i32.const 0xff00ff00)))`;

/** Copies less than 64 bytes, in pieces of a power of two. */
const copy = `(func $copy (param $to i32) (param $from i32) (param $size i32)
  ${
  each([
    [32, "v128"],
    [16, "v128"],
    [8, "i64"],
    [4, "i32"],
    [2, "i32", "16"],
    [1, "i32", "8"],
  ], ([bytes, type, part]) =>
    `(if (i32.and ${get("size")} (i32.const ${bytes})) (then
      ${
      each(bytes === 32 ? [0, 16] : [0], (k) =>
        `(${type}.store${part ?? ""} offset=${k} ${get("to")}
        (${type}.load${part ? `${part}_u` : ""} offset=${k} ${get("from")}))`)
    }
      ${set("to", at("to", Number(bytes)))}
      ${set("from", at("from", Number(bytes)))}))`)
})`;

/**
 * The last one or two blocks of each message, padded, into the buffers; lanes
 * point to their first block. Whole blocks of the shortest message into `FEWEST`,
 * all blocks of the longest one into `MOST`.
 */
const tails = `(func $tails (param $order i32) (param $count i32) (param $s i32)
  (local $lane i32) (local $job i32) (local $buffer i32)
  (local $size i32) (local $from i32) (local $full i32) (local $blocks i32)
  (local $fewest i32) (local $most i32)
  ${set("fewest", "(i32.const -1)")}
  ${
  lanes(`
    ${set("from", `(i32.load offset=4 ${get("job")})`)}
    ${set("size", `(i32.load offset=8 ${get("job")})`)}
    ${set("full", `(i32.shr_u ${get("size")} (i32.const 6))`)}
    ${set("blocks", `(i32.shr_u ${at("size", 72)} (i32.const 6))`)}
    (i32.store offset=${PLACES} ${ofLane(2)} ${get("from")})
    (i32.store offset=${SIZES} ${ofLane(4)} ${get("from")})
    (i32.store offset=${SIZES + 4} ${ofLane(4)} ${get("full")})
    (i32.store offset=${SIZES + 8} ${ofLane(4)} ${get("blocks")})
    ${
    each(
      [0, 16, 32, 48, 64, 80, 96, 112],
      (k) =>
        `(v128.store offset=${k} ${get("buffer")} (i32x4.splat (i32.const 0)))`,
    )
  }
    (call $copy ${get("buffer")}
      (i32.add ${get("from")} (i32.shl ${get("full")} (i32.const 6)))
      (i32.and ${get("size")} (i32.const 63)))
    (i32.store8 (i32.add ${get("buffer")}
      (i32.and ${get("size")} (i32.const 63))) (i32.const 0x80))
    ${set("size", `(i32.shl ${at("size", 64)} (i32.const 3))`)}
    (i32.store (i32.add ${at("buffer", -4)}
        (i32.shl (i32.sub ${get("blocks")} ${get("full")}) (i32.const 6)))
      ${swapped(get("size"))})
    (if (i32.gt_u ${get("blocks")} ${get("most")}) (then
      ${set("most", get("blocks"))}))
    (if (i32.lt_u ${get("full")} ${get("fewest")}) (then
      ${set("fewest", get("full"))}))`)
}
  (i32.store offset=${FEWEST} ${get("s")} ${get("fewest")})
  (i32.store offset=${MOST} ${get("s")} ${get("most")}))`;

/** Points each lane to its block; lanes that are done count no more. */
const point = `(func $point (param $s i32) (param $block i32)
  (local $lane i32) (local $buffer i32) (local $full i32) (local $left i32)
  ${set("buffer", at("s", BUFFERS))}
  (loop $next
    ${set("full", `(i32.load offset=${SIZES + 4} ${ofLane(4)})`)}
    ${
  set(
    "left",
    `(i32.lt_u ${get("block")} (i32.load offset=${SIZES + 8} ${ofLane(4)}))`,
  )
}
    (i32.store offset=${MASK} ${ofLane(2)}
      (i32.sub (i32.const 0) ${get("left")}))
    (i32.store offset=${PLACES} ${ofLane(2)}
      (if (result i32) (i32.lt_u ${get("block")} ${get("full")})
        (then (i32.add (i32.load offset=${SIZES} ${ofLane(4)})
          (i32.shl ${get("block")} (i32.const 6))))
        (else (i32.add ${get("buffer")} (i32.shl (i32.mul ${get("left")}
          (i32.sub ${get("block")} ${get("full")})) (i32.const 6))))))
    ${set("buffer", at("buffer", 128))}
    (br_if $next (i32.ne (i32.const ${LANES})
      (local.tee $lane ${at("lane", 1)})))))`;

const setMasks = each(
  UNITS,
  (unit) =>
    `(v128.store offset=${MASK + 16 * unit} ${get("s")}
    (i32x4.splat (i32.const -1)))`,
);

/** All blocks of all messages behind the inner pad. */
const messages = `(func $messages (param $s i32) (local $block i32)
  (block $mixed (loop $next
    (br_if $mixed (i32.eq ${get("block")}
      (i32.load offset=${FEWEST} ${get("s")})))
    (call $load ${get("s")})
    (call $compress ${get("s")})
    ${
  each(UNITS, (unit) =>
    `(v128.store offset=${PLACES + 16 * unit} ${get("s")} (i32x4.add
      (v128.load offset=${PLACES + 16 * unit} ${get("s")})
      (i32x4.splat (i32.const 64))))`)
}
    ${set("block", at("block", 1))}
    (br $next)))
  (loop $next
    (call $point ${get("s")} ${get("block")})
    (call $load ${get("s")})
    (call $compress ${get("s")})
    (br_if $next (i32.lt_u (local.tee $block ${at("block", 1)})
      (i32.load offset=${MOST} ${get("s")}))))
  ${setMasks})`;

const copyState = (to: number, from: number) =>
  each(
    [...Array(10).keys()],
    (k) =>
      `(v128.store offset=${to + 16 * k} ${get("s")}
    (v128.load offset=${from + 16 * k} ${get("s")}))`,
  );

/** The inner digests are the words of a last block behind the outer pad. */
const digestBlock = each(UNITS, (unit) => {
  const to = (k: number, value: string) =>
    `(v128.store offset=${SCHEDULE + unit * UNIT_SCHEDULE + 16 * k} ${
      get("s")
    } ${value})`;
  const splat = (value: number) => `(i32x4.splat (i32.const ${value}))`;
  const state = STATE + unit * UNIT_STATE;
  return each(
    [0, 1, 2, 3, 4],
    (k) => to(k, `(v128.load offset=${state + 16 * k} ${get("s")})`),
  ) +
    to(5, splat(0x80000000)) +
    each([6, 7, 8, 9, 10, 11, 12, 13, 14], (k) => to(k, splat(0))) +
    to(15, splat(8 * (64 + 20)));
});

const results = `
  (loop $next
    ${set("to", `(i32.load offset=12 ${jobAt(get("order"))})`)}
    ${
  set(
    "from",
    `(i32.add ${get("s")} (i32.add
      (i32.mul (i32.shr_u ${
      get("lane")
    } (i32.const 2)) (i32.const ${UNIT_STATE}))
      (i32.shl (i32.and ${get("lane")} (i32.const 3)) (i32.const 2))))`,
  )
}
    ${
  each([0, 1, 2, 3, 4], (k) =>
    set("word", `(i32.load offset=${STATE + 16 * k} ${get("from")})`) +
    `(i32.store offset=${4 * k} ${get("to")} ${swapped(get("word"))})`)
}
    ${set("order", at("order", 4))}
    (br_if $next (i32.ne ${get("count")}
      (local.tee $lane ${at("lane", 1)}))))`;

/**
 * hmac(order, count, s): the lowest bits of a word of the order are the number of
 * a job; a job, behind the schedule, is key, message, size and result.
 */
const hmac = `(func (export "hmac")
    (param $order i32) (param $count i32) (param $s i32)
  (local $lane i32) (local $from i32) (local $to i32) (local $word i32)
  ${setMasks}
  (call $pad ${get("order")} ${get("count")} ${get("s")}
    (i32.const 0x5c5c5c5c))
  ${copyState(OUTER, STATE)}
  (call $pad ${get("order")} ${get("count")} ${get("s")}
    (i32.const 0x36363636))
  (call $tails ${get("order")} ${get("count")} ${get("s")})
  (call $messages ${get("s")})
  ${digestBlock}
  ${copyState(STATE, OUTER)}
  (call $compress ${get("s")})
  ${results})`;

export function hmacSha1Wat(): string {
  return `(module (import "engine" "memory" (memory 1))
${[compress(), load(), pad, copy, tails, point, messages, hmac].join("\n")})`;
}
