import assert from "node:assert/strict";
import { Heartbeat } from "../../../src/daemon/heartbeat.ts";

function heartbeatOf(threads: number) {
  const rounds = Array.from({ length: threads }, () => 0);
  const clock = { now: 0 };
  return { rounds, clock, heart: new Heartbeat(() => rounds, () => clock.now) };
}

Deno.test("threads that go round are alive, however seldom one looks", () => {
  const { rounds, clock, heart } = heartbeatOf(2);
  for (let hour = 0; hour < 3; hour++) {
    assert.equal(heart.isAlive, true);
    clock.now += 3_600_000;
    rounds.forEach((count, k) => rounds[k] = count + 1);
  }
});

Deno.test("a plane without threads of its own is alive", () => {
  const { clock, heart } = heartbeatOf(0);
  assert.equal(heart.isAlive, true);
  clock.now += 3_600_000;
  assert.equal(heart.isAlive, true);
});

Deno.test("one thread that hangs is enough, and the others do not hide it", () => {
  const { rounds, clock, heart } = heartbeatOf(2);
  for (const seconds of [0, 10, 25]) {
    clock.now = seconds * 1000;
    rounds[0] = seconds;
    assert.equal(heart.isAlive, true, `at ${seconds} s`);
  }
  clock.now = 25_001;
  rounds[0] = 26;
  assert.equal(heart.isAlive, false);
  rounds[1] = 1;
  assert.equal(heart.isAlive, true, "it goes on");
});
