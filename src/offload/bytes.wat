;; Copy and Internet checksum over the packet memory.
;;
;; The checksum is the one's complement sum of RFC 1071. Its section 2 (B) lets
;; the words be added in the machine's byte order and only the folded result be
;; swapped, and its section 2 (A) lets them be added in any grouping: so sixteen
;; bytes at a time, in four lanes of 32 bits. A lane takes two words of 16 bits
;; from each vector, so their total cannot overflow below 512 KiB.
;;
;; The assembled bytes are in bytes.ts; a test assembles this text and compares.
(module
  (import "packets" "memory" (memory 1))

  ;; copy(to, from, size): the two ranges do not overlap.
  (func (export "copy") (param $to i32) (param $from i32) (param $size i32)
    (local $end i32)
    ;; whole vectors
    (local.set $end
      (i32.add (local.get $from) (i32.and (local.get $size) (i32.const -16))))
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $from) (local.get $end)))
      (v128.store (local.get $to) (v128.load (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br $next)))
    ;; the last 8, 4, 2 and 1 bytes
    (if (i32.and (local.get $size) (i32.const 8)) (then
      (i64.store (local.get $to) (i64.load (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))))
    (if (i32.and (local.get $size) (i32.const 4)) (then
      (i32.store (local.get $to) (i32.load (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))))
    (if (i32.and (local.get $size) (i32.const 2)) (then
      (i32.store16 (local.get $to) (i32.load16_u (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 2)))
      (local.set $from (i32.add (local.get $from) (i32.const 2)))))
    (if (i32.and (local.get $size) (i32.const 1)) (then
      (i32.store8 (local.get $to) (i32.load8_u (local.get $from))))))

  ;; sum(at, size, seed): seed plus the bytes, folded to 16 bits.
  (func (export "sum") (param $at i32) (param $size i32) (param $seed i32)
    (result i32)
    (local $end i32) (local $tail i64)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    ;; four vectors at a time, each with a sum of its own
    (local.set $end
      (i32.add (local.get $at) (i32.and (local.get $size) (i32.const -64))))
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $at) (local.get $end)))
      (local.set $a (i32x4.add (local.get $a)
        (i32x4.extadd_pairwise_i16x8_u (v128.load (local.get $at)))))
      (local.set $b (i32x4.add (local.get $b)
        (i32x4.extadd_pairwise_i16x8_u (v128.load offset=16 (local.get $at)))))
      (local.set $c (i32x4.add (local.get $c)
        (i32x4.extadd_pairwise_i16x8_u (v128.load offset=32 (local.get $at)))))
      (local.set $d (i32x4.add (local.get $d)
        (i32x4.extadd_pairwise_i16x8_u (v128.load offset=48 (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br $next)))
    ;; up to three vectors more
    (local.set $end
      (i32.add (local.get $at) (i32.and (local.get $size) (i32.const 48))))
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $at) (local.get $end)))
      (local.set $a (i32x4.add (local.get $a)
        (i32x4.extadd_pairwise_i16x8_u (v128.load (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next)))
    ;; the last 8, 4, 2 and 1 bytes; an odd one is followed by a zero
    (if (i32.and (local.get $size) (i32.const 8)) (then
      (local.set $tail (call $halves (i64.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))))
    (if (i32.and (local.get $size) (i32.const 4)) (then
      (local.set $tail
        (i64.add (local.get $tail) (i64.load32_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))))
    (if (i32.and (local.get $size) (i32.const 2)) (then
      (local.set $tail
        (i64.add (local.get $tail) (i64.load16_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))))
    (if (i32.and (local.get $size) (i32.const 1)) (then
      (local.set $tail
        (i64.add (local.get $tail) (i64.load8_u (local.get $at))))))
    (call $fold
      (i32x4.add (i32x4.add (local.get $a) (local.get $b))
        (i32x4.add (local.get $c) (local.get $d)))
      (local.get $tail) (local.get $seed)))

  ;; copySum(to, from, size, seed): copy and sum in one pass.
  (func (export "copySum")
    (param $to i32) (param $at i32) (param $size i32) (param $seed i32)
    (result i32)
    (local $end i32) (local $tail i64) (local $word i64)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $v v128)
    (local.set $end
      (i32.add (local.get $at) (i32.and (local.get $size) (i32.const -64))))
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $at) (local.get $end)))
      (v128.store (local.get $to)
        (local.tee $v (v128.load (local.get $at))))
      (local.set $a (i32x4.add (local.get $a)
        (i32x4.extadd_pairwise_i16x8_u (local.get $v))))
      (v128.store offset=16 (local.get $to)
        (local.tee $v (v128.load offset=16 (local.get $at))))
      (local.set $b (i32x4.add (local.get $b)
        (i32x4.extadd_pairwise_i16x8_u (local.get $v))))
      (v128.store offset=32 (local.get $to)
        (local.tee $v (v128.load offset=32 (local.get $at))))
      (local.set $c (i32x4.add (local.get $c)
        (i32x4.extadd_pairwise_i16x8_u (local.get $v))))
      (v128.store offset=48 (local.get $to)
        (local.tee $v (v128.load offset=48 (local.get $at))))
      (local.set $d (i32x4.add (local.get $d)
        (i32x4.extadd_pairwise_i16x8_u (local.get $v))))
      (local.set $to (i32.add (local.get $to) (i32.const 64)))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br $next)))
    (local.set $end
      (i32.add (local.get $at) (i32.and (local.get $size) (i32.const 48))))
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $at) (local.get $end)))
      (v128.store (local.get $to)
        (local.tee $v (v128.load (local.get $at))))
      (local.set $a (i32x4.add (local.get $a)
        (i32x4.extadd_pairwise_i16x8_u (local.get $v))))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next)))
    (if (i32.and (local.get $size) (i32.const 8)) (then
      (i64.store (local.get $to)
        (local.tee $word (i64.load (local.get $at))))
      (local.set $tail (call $halves (local.get $word)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))))
    (if (i32.and (local.get $size) (i32.const 4)) (then
      (i64.store32 (local.get $to)
        (local.tee $word (i64.load32_u (local.get $at))))
      (local.set $tail (i64.add (local.get $tail) (local.get $word)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))))
    (if (i32.and (local.get $size) (i32.const 2)) (then
      (i64.store16 (local.get $to)
        (local.tee $word (i64.load16_u (local.get $at))))
      (local.set $tail (i64.add (local.get $tail) (local.get $word)))
      (local.set $to (i32.add (local.get $to) (i32.const 2)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))))
    (if (i32.and (local.get $size) (i32.const 1)) (then
      (i64.store8 (local.get $to)
        (local.tee $word (i64.load8_u (local.get $at))))
      (local.set $tail (i64.add (local.get $tail) (local.get $word)))))
    (call $fold
      (i32x4.add (i32x4.add (local.get $a) (local.get $b))
        (i32x4.add (local.get $c) (local.get $d)))
      (local.get $tail) (local.get $seed)))

  ;; The sum of the two 32 bit halves of a word.
  (func $halves (param $word i64) (result i64)
    (i64.add
      (i64.and (local.get $word) (i64.const 0xffffffff))
      (i64.shr_u (local.get $word) (i64.const 32))))

  ;; The lanes and the tail, folded, in network order, plus the seed.
  (func $fold (param $lanes v128) (param $tail i64) (param $seed i32)
    (result i32)
    (local $sum i32)
    ;; to 34 bits, then 32, then 16
    (local.set $lanes (i64x2.add
      (i64x2.extend_low_i32x4_u (local.get $lanes))
      (i64x2.extend_high_i32x4_u (local.get $lanes))))
    (local.set $tail (i64.add (local.get $tail) (i64.add
      (i64x2.extract_lane 0 (local.get $lanes))
      (i64x2.extract_lane 1 (local.get $lanes)))))
    (local.set $tail (call $halves (call $halves (local.get $tail))))
    (local.set $sum (call $words (call $words
      (i32.wrap_i64 (local.get $tail)))))
    ;; swapped to network order
    (local.set $sum (i32.or
      (i32.shl (i32.and (local.get $sum) (i32.const 0xff)) (i32.const 8))
      (i32.shr_u (local.get $sum) (i32.const 8))))
    (call $words (call $words (i32.add
      (local.get $sum) (call $words (local.get $seed))))))

  ;; The sum of the two 16 bit halves of a word.
  (func $words (param $sum i32) (result i32)
    (i32.add
      (i32.and (local.get $sum) (i32.const 0xffff))
      (i32.shr_u (local.get $sum) (i32.const 16)))))
