import assert from "node:assert/strict";
import { Trial } from "../../../src/crypto/trial.ts";

const TURNS = 1024;

/** Runs a whole trial in which each turn takes what `costOf` says, in ms. */
function tried(
  costOf: (way: "first" | "second", turn: number) => number,
): { readonly trial: Trial; readonly ways: readonly string[] } {
  let time = 0;
  const trial = new Trial(() => time);
  const ways: string[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const way = trial.begin();
    ways.push(way);
    assert.equal(trial.best, "first");
    time += costOf(way, turn);
    trial.end(1);
  }
  return { trial, ways };
}

Deno.test("the ways of a trial take turns, and the faster one stays", () => {
  const { trial, ways } = tried((way) => way === "first" ? 3 : 2);
  assert.deepEqual(ways.slice(0, 4), ["first", "second", "first", "second"]);
  assert.equal(trial.best, "second");
  assert.equal(trial.begin(), "second");
  const { trial: other } = tried((way) => way === "first" ? 2 : 3);
  assert.equal(other.best, "first");
});

Deno.test("a way that is faster only now and then does not stay", () => {
  const { trial } = tried((way, turn) =>
    way === "second" && turn % 10 !== 1 ? 4 : way === "second" ? 1 : 3
  );
  assert.equal(trial.best, "first");
});

Deno.test("what happens while the compiler is at work does not count", () => {
  const { trial } = tried((way, turn) =>
    way === "first" ? 3 : turn < TURNS / 2 ? 9 : 2
  );
  assert.equal(trial.best, "second");
});

Deno.test("a trial compares what the same amount of work costs", () => {
  let time = 0;
  const trial = new Trial(() => time);
  for (let turn = 0; turn < TURNS; turn++) {
    const isFirst = trial.begin() === "first";
    time += isFirst ? 4 : 6;
    trial.end(isFirst ? 1 : 2);
  }
  assert.equal(trial.best, "second");
});
