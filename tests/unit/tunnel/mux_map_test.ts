import assert from "node:assert/strict";
import fc from "fast-check";
import { MuxMap } from "../../../src/tunnel/mux_map.ts";

Deno.test("a map by mux holds what was set last", () => {
  const mux = fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 255, 256, 0xffff));
  const value = fc.option(fc.nat(), { nil: undefined });
  fc.assert(
    fc.property(fc.array(fc.tuple(mux, value)), (changes) => {
      const map = new MuxMap<number>();
      const expected = new Map<number, number>();
      for (const [mux, value] of changes) {
        map.set(mux, value);
        if (value === undefined) expected.delete(mux);
        else expected.set(mux, value);
        assert.equal(map.get(mux), value);
      }
      for (const [mux] of changes) {
        assert.equal(map.get(mux), expected.get(mux));
      }
      const seen: number[] = [];
      map.forEach((value) => seen.push(value));
      const inOrder = [...expected].toSorted(([a], [b]) => a - b);
      assert.deepEqual(seen, inOrder.map(([, value]) => value));
    }),
  );
});
