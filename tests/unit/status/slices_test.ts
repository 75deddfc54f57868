import { strict as assert } from "node:assert";
import { bytesInSlices, doInSlices } from "../../../src/status/slices.ts";

/** Pauses that are counted. */
function pauses() {
  const seen = { count: 0 };
  const pause = () => Promise.resolve(seen.count++);
  return { seen, pause };
}

Deno.test("a text that is short is one piece, without a pause", async () => {
  for (const texts of [[], [""], ["a", "\u00fc"]]) {
    const { seen, pause } = pauses();
    const pieces = await Array.fromAsync(bytesInSlices(texts, pause));
    assert.deepEqual(pieces, [new TextEncoder().encode(texts.join(""))]);
    assert.equal(seen.count, 0);
  }
});

Deno.test("a long text comes in pieces, of whole texts, with a pause between two", async () => {
  const texts = Array.from(
    { length: 3000 },
    (_, k) => `${k} \u{1f600}`.repeat(60),
  );
  const { seen, pause } = pauses();
  const pieces = await Array.fromAsync(bytesInSlices(texts, pause));
  assert.equal(seen.count, pieces.length - 1);
  assert.ok(pieces.length > 1);
  const strict = new TextDecoder("utf-8", { fatal: true });
  const text = pieces.map((piece) => strict.decode(piece)).join("");
  assert.ok(text === texts.join(""));
});

Deno.test("work on a list pauses after so many of it, and not after the last", async () => {
  for (const [length, expected] of [[0, 0], [3, 0], [4, 1], [6, 1], [7, 2]]) {
    const all = Array.from({ length: length ?? 0 }, (_, k) => k);
    const { seen, pause } = pauses();
    const done: number[] = [];
    await doInSlices(all, 3, pause, (one) => void done.push(one));
    assert.deepEqual(done, all);
    assert.equal(seen.count, expected);
  }
});

Deno.test("what is not taken is not written", async () => {
  let written = 0;
  const texts = (function* () {
    for (; written < 1000; written++) yield "x".repeat(1000);
  })();
  const pieces = bytesInSlices(texts, () => Promise.resolve());
  await pieces.next();
  assert.ok(written < 300, `${written} of 1000 for the first piece`);
  const before = written;
  await pieces.return(undefined);
  assert.equal(written, before);
  assert.ok([...texts].length === 0, "nor held any more");
});
