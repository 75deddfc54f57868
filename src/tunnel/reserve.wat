;; Taking numbers of a connection (numbers.ts), in one word of shared memory.
;;
;; Here rather than in TypeScript because a word of 64 bits is a bigint there,
;; and every one of them is memory for the garbage collector to take back.
;;
;; The assembled bytes are in reserve.ts; a test assembles this text and
;; compares.
(module
  (import "connections" "memory" (memory 1 65536 shared))

  ;; reserve(at, epoch, count, limit): see NumberWords.reserve(). The word has
  ;; the epoch in its upper 24 bits, and the next number in the lower 40.
  (func (export "reserve")
    (param $at i32) (param $epoch i32) (param $count f64) (param $limit f64)
    (result f64)
    (local $seen i64) (local $number i64) (local $end i64) (local $last i64)
    (local.set $last (i64.trunc_f64_u (local.get $limit)))
    (loop $again
      (local.set $seen (i64.atomic.load (local.get $at)))
      ;; the keys are others by now
      (if (i64.ne
            (i64.shr_u (local.get $seen) (i64.const 40))
            (i64.extend_i32_u (local.get $epoch)))
        (then (return (f64.const -1))))
      (local.set $number
        (i64.and (local.get $seen) (i64.const 0xffffffffff)))
      ;; another connection counts for this one
      (if (i64.eq (local.get $number) (i64.const 0xffffffffff))
        (then (return (f64.const -1))))
      (if (i64.ge_u (local.get $number) (local.get $last))
        (then (return (f64.const -2))))
      (local.set $end
        (i64.add (local.get $number) (i64.trunc_f64_u (local.get $count))))
      ;; where they do not fit, none is left for anybody
      (br_if $again
        (i64.ne
          (local.get $seen)
          (i64.atomic.rmw.cmpxchg
            (local.get $at)
            (local.get $seen)
            (i64.add
              (i64.sub (local.get $seen) (local.get $number))
              (select
                (local.get $end)
                (local.get $last)
                (i64.le_u (local.get $end) (local.get $last))))))))
    (select
      (f64.convert_i64_u (local.get $number))
      (f64.const -2)
      (i64.le_u (local.get $end) (local.get $last))))
)
