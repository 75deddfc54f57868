import assert from "node:assert/strict";
import {
  movedName,
  nextEndpoint,
  PeerSearch,
} from "../../../src/daemon/peer_search.ts";
import {
  type Endpoint,
  formatEndpoint,
  parseEndpoint,
} from "../../../src/net/endpoint.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";

const [A, B, C] = ["192.0.2.1:4", "192.0.2.2:4", "192.0.2.3:4"].map((text) => {
  const endpoint = parseEndpoint(text);
  assert.ok(endpoint);
  return endpoint;
});
assert.ok(A && B && C);

function nextText(...given: Parameters<typeof nextEndpoint>) {
  const next = nextEndpoint(...given);
  return next && formatEndpoint(next);
}

Deno.test("a name that stands for another address leads there", () => {
  assert.equal(nextText(A, [B], [A], false), formatEndpoint(B));
});

Deno.test("a name that stands for one address, where the peer is looked for already, changes nothing", () => {
  assert.equal(nextText(A, [A], [A], false), undefined);
});

Deno.test("of a stale address and a new one, each is tried in its turn", () => {
  assert.equal(nextText(A, [A, B], [A], false), formatEndpoint(B));
  assert.equal(nextText(B, [A, B], [A, B], false), formatEndpoint(A));
  assert.equal(nextText(A, [B, A], [A, B], false), formatEndpoint(B));
});

Deno.test("a peer that has moved by itself is not called back before it is lost", () => {
  assert.equal(nextText(C, [A, B], [A, B], false), undefined);
  assert.equal(nextText(C, [A, B], [A, B], true), formatEndpoint(A));
  assert.equal(nextText(C, [A, B], [A], false), formatEndpoint(B));
});

/** A search whose peer is where the test says. */
function searching() {
  const clock = new ManualClock();
  const state = {
    lookups: 0,
    heard: undefined as number | undefined,
    isUnanswered: true,
    isKeptAlive: false,
    present: A as Endpoint,
    answer: (): Promise<readonly Endpoint[]> =>
      Promise.resolve([A as Endpoint]),
    failures: 0,
  };
  const search = new PeerSearch(30_000, [state.present], {
    isUnanswered: () => state.isUnanswered,
    isKeptAlive: () => state.isKeptAlive,
    lastHeard: () => state.heard,
    present: () => state.present,
    lookUp: () => (state.lookups++, state.answer()),
    move: (to) => state.present = to,
    stays() {},
    failed: () => state.failures++,
    elapsed: clock.now,
  });
  const pass = async (seconds: number) => {
    for (let k = 0; k < seconds; k++) {
      search.look();
      await clock.pass(1000);
    }
  };
  return { state, search, pass };
}

Deno.test("a name is looked up with pauses that grow, up to ten minutes", async () => {
  const { state, pass } = searching();
  const times: number[] = [];
  for (let second = 0; second < 4000; second++) {
    const before = state.lookups;
    await pass(1);
    if (state.lookups > before) times.push(second);
  }
  assert.deepEqual(times, [
    0,
    30,
    90,
    210,
    450,
    930,
    1530,
    2130,
    2730,
    3330,
    3930,
  ]);
});

Deno.test("nothing is looked up while nothing is sent, and at once when it is again", async () => {
  const { state, pass } = searching();
  state.isUnanswered = false;
  await pass(100);
  assert.equal(state.lookups, 0);
  state.isUnanswered = true;
  await pass(1);
  assert.equal(state.lookups, 1);
});

Deno.test("a peer that is heard is looked for without pause the next time", async () => {
  const { state, pass } = searching();
  await pass(100);
  assert.equal(state.lookups, 3);
  state.heard = 100;
  await pass(1);
  assert.equal(state.lookups, 4);
});

Deno.test("a peer that was heard since the last lookups is not lost after one more", async () => {
  const { state, pass } = searching();
  await pass(100);
  assert.equal(state.lookups, 3);
  state.heard = 100;
  state.present = C as Endpoint;
  await pass(32);
  assert.equal(state.lookups, 5);
  assert.equal(state.present, C, "it has moved there by itself");
  await pass(60);
  assert.equal(state.present, A, "it is lost by now");
});

Deno.test("a lookup that fails leaves the peer where it is, and comes back", async () => {
  const { state, pass } = searching();
  state.answer = () => Promise.reject(new Error("no server"));
  await pass(31);
  assert.equal(state.failures, 2);
  assert.equal(state.present, A);
});

Deno.test("a peer that is heard while its name is looked up stays where it was heard", async () => {
  const { state, pass } = searching();
  const { promise, resolve } = Promise.withResolvers<readonly Endpoint[]>();
  state.answer = () => promise;
  await pass(100);
  assert.equal(state.lookups, 1, "one at a time");
  state.heard = 1;
  resolve([B as Endpoint]);
  await pass(1);
  assert.equal(state.present, A);
});

Deno.test("a peer that has nothing to say moves with its name alone", () => {
  assert.ok(A && B && C);
  assert.equal(movedName(A, [A, B], [A]), undefined);
  assert.equal(movedName(A, [B], [A]), B);
  assert.equal(movedName(C, [A], [A]), undefined, "it has moved by itself");
});

Deno.test("a peer that is sent keep-alives alone is found at another address of its name", async () => {
  const { state, pass } = searching();
  Object.assign(state, { isUnanswered: false, isKeptAlive: true, heard: 1 });
  await pass(30);
  assert.equal(state.lookups, 0, "it was heard a moment ago");
  await pass(100);
  assert.equal(state.lookups, 3);
  assert.equal(state.present, A, "its name has not moved");
  state.answer = () => Promise.resolve([B as Endpoint]);
  await pass(300);
  assert.equal(state.present, B);
});

Deno.test("a peer that is heard is not looked up, however often it is sent keep-alives", async () => {
  const { state, pass } = searching();
  Object.assign(state, { isUnanswered: false, isKeptAlive: true });
  for (let heard = 1; heard < 20; heard++) {
    state.heard = heard;
    await pass(20);
  }
  assert.equal(state.lookups, 0);
});
