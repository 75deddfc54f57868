import { strict as assert } from "node:assert";
import { Credibility } from "../../../src/sync/credibility.ts";

const NOW = 1_700_000_000_000;
const A = "a".repeat(16);
const B = "b".repeat(16);

function credibility(): Credibility {
  return new Credibility(() => NOW);
}

Deno.test("who counted as ended is there by what is later than all it can have said, and by nothing else", () => {
  const isAlive = (heard: number, version: number) => {
    const all = credibility();
    all.supersede(A, NOW - 5000, heard);
    return all.isAlive({ version, origin: A });
  };
  // It was heard in the past: until now it may have said more.
  assert.equal(isAlive(NOW - 1000, NOW - 500), false);
  assert.equal(isAlive(NOW - 1000, NOW), false);
  assert.equal(isAlive(NOW - 1000, NOW + 1), true);
  // Its clock is ahead of this one.
  assert.equal(isAlive(NOW + 60_000, NOW + 30_000), false);
  assert.equal(isAlive(NOW + 60_000, NOW + 60_001), true);
  assert.equal(credibility().isAlive({ version: NOW, origin: B }), false);
});

Deno.test("of those that counted as ended the 256 last ones are remembered", () => {
  const all = credibility();
  const others = Array.from(
    { length: 255 },
    (_, k) => k.toString(16).padStart(16, "0"),
  );
  for (const origin of [A, ...others, A, B]) all.supersede(origin, 1, NOW);
  // The one that was named again is none of the oldest.
  assert.equal(all.revive(A), true);
  assert.equal(all.revive(B), true);
  assert.deepEqual(
    others.slice(0, 2).map((origin) => all.revive(origin)),
    [false, true],
  );
});

Deno.test("a clock that is ahead by more than five minutes is not believed", () => {
  const all = credibility();
  for (const [ahead, version] of [[300_000, NOW + 300_000], [300_001, NOW]]) {
    const stamp = { version: NOW + Number(ahead), origin: A };
    assert.equal(all.isAhead(stamp), version === NOW);
    assert.equal(all.believe(stamp).version, version);
  }
});
