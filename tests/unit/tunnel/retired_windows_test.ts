import { strict as assert } from "node:assert";
import { ReplayWindow } from "../../../mod.ts";
import { RetiredWindows } from "../../../src/tunnel/retired_windows.ts";

/** A window that has accepted this number. */
function heard(seq: number, size = 64): ReplayWindow {
  const window = new ReplayWindow(size);
  window.accept(0, seq);
  return window;
}

Deno.test("a retired window comes back for its connection and keys alone, and once", () => {
  const windows = new RetiredWindows();
  const window = heard(1);
  windows.keep(5, 77, window);
  assert.equal(windows.take(5, 78), undefined);
  assert.equal(windows.take(6, 77), undefined);
  assert.equal(windows.take(5, 77), window);
  assert.equal(windows.take(5, 77), undefined);
});

Deno.test("a window that has accepted nothing takes no place, nor that of another one", () => {
  const windows = new RetiredWindows();
  const window = heard(1);
  windows.keep(5, 1, window);
  for (let k = 2; k < 1000; k++) {
    windows.keep(5, k, new ReplayWindow(0));
  }
  assert.equal(windows.take(5, 2), undefined);
  assert.equal(windows.take(5, 1), window);
});

Deno.test("where there are too many windows the one that was retired first is forgotten", () => {
  const windows = new RetiredWindows();
  const size = 1 << 20;
  const newest = heard(1, size);
  for (let mux = 0; mux < 500; mux++) windows.keep(mux, 1, heard(1, size));
  windows.keep(500, 1, newest);
  const kept = Array.from({ length: 501 }, (_, mux) => mux)
    .filter((mux) => windows.take(mux, 1) !== undefined);
  assert.ok(kept.length > 100 && kept.length < 200, `${kept.length} are kept`);
  assert.deepEqual(kept, kept.map((_, k) => 501 - kept.length + k));
  // The books are right: as many fit again.
  for (const mux of kept) windows.keep(mux, 1, heard(1, size));
  assert.ok(kept.every((mux) => windows.take(mux, 1) !== undefined));
});
