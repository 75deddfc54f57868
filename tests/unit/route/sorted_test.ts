import { strict as assert } from "node:assert";
import { Sorted } from "../../../src/route/sorted.ts";

interface Item {
  readonly rank: number;
}

/** A list of what is in a set, and how often it has compared. */
function rig(size: number) {
  const all = new Set<Item>();
  const compared = { count: 0 };
  const sorted = new Sorted(() => all, (a: Item, b: Item) => {
    compared.count++;
    return a.rank - b.rank;
  });
  const put = (one: Item) => {
    all.add(one);
    sorted.add(one);
  };
  const take = (one: Item) => {
    all.delete(one);
    sorted.delete(one);
  };
  // In no order: 7919 is prime.
  const items = Array.from({ length: size }, (_, k) => ({
    rank: k * 7919 % size,
  }));
  for (const one of items) put(one);
  const check = () => {
    const ranks = sorted.list().map(({ rank }) => rank);
    const expected = Array.from(all, ({ rank }) => rank)
      .sort((a, b) => a - b);
    assert.deepEqual(ranks, expected);
  };
  return { items, put, take, check, compared };
}

Deno.test("what comes and goes is in its place, whenever the list is asked for", () => {
  const { items, put, take, check } = rig(100);
  check();
  put({ rank: 3.5 });
  check();
  for (const [k, one] of items.entries()) {
    take(one);
    if (k % 3 === 0) put({ rank: one.rank + 0.5 });
    if (k % 5 === 0) check();
  }
  check();
});

Deno.test("what has come and gone, or gone and come, since the list was asked for, is no change", () => {
  const { items: [one = { rank: 0 }], put, take, check } = rig(50);
  check();
  const other = { rank: 2.5 };
  put(other);
  take(other);
  take(one);
  put(one);
  check();
  take(one);
  put(one);
  take(one);
  check();
});

Deno.test("a change among many is compared with few of them", () => {
  const { items, put, take, check, compared } = rig(10_000);
  check();
  for (let k = 0; k < 10; k++) {
    compared.count = 0;
    take(items[k * 1000] ?? assert.fail());
    put({ rank: k * 997 + 0.5 });
    check();
    assert.ok(compared.count < 30, `${compared.count} comparisons`);
  }
});
