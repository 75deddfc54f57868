import assert from "node:assert/strict";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

/** A log of 2 lines at once and 1 per second, with its clock in hand. */
function limited() {
  const target = recordingLog();
  const clock = { ms: 5000 };
  const limit = { burst: 2, perSecond: 1 };
  const log = new RateLimitedLog(target, limit, () => clock.ms);
  const write = (kind: string, text: string): void =>
    log.write("notice", kind, () => text);
  return { target, clock, log, write };
}

Deno.test("RateLimitedLog lets a burst pass and holds the rest back", () => {
  const { target, write } = limited();
  for (const text of ["1", "2", "3", "4"]) write("replay", text);
  assert.deepEqual(target.lines, ["NOTICE: 1", "NOTICE: 2"]);
});

Deno.test("RateLimitedLog says how many lines were held back", () => {
  const { target, clock, write } = limited();
  for (const text of ["1", "2", "3", "4"]) write("replay", text);
  clock.ms += 1000;
  write("replay", "5");
  assert.deepEqual(target.lines.slice(2), [
    "NOTICE: held back 2 lines: replay",
    "NOTICE: 5",
  ]);
  write("replay", "6");
  clock.ms += 1000;
  write("replay", "7");
  assert.deepEqual(target.lines.slice(4), [
    "NOTICE: held back 1 line: replay",
    "NOTICE: 7",
  ]);
});

Deno.test("RateLimitedLog refills by the clock, and not above the burst", () => {
  const { target, clock, write } = limited();
  write("replay", "1");
  write("replay", "2");
  clock.ms += 999;
  write("replay", "too early");
  clock.ms += 1;
  write("replay", "3");
  clock.ms += 1_000_000;
  for (const text of ["4", "5", "too many"]) write("replay", text);
  assert.deepEqual(target.lines, [
    "NOTICE: 1",
    "NOTICE: 2",
    "NOTICE: held back 1 line: replay",
    "NOTICE: 3",
    "NOTICE: 4",
    "NOTICE: 5",
  ]);
});

Deno.test("RateLimitedLog counts each kind of message alone", () => {
  const { target, log, write } = limited();
  for (const text of ["1", "2", "3"]) write("replay", text);
  log.write("warning", "wrong tag", () => "tag");
  assert.deepEqual(target.lines.at(-1), "WARNING: tag");
});

Deno.test("RateLimitedLog does not build text that nobody reads", () => {
  const { log, write } = limited();
  write("replay", "1");
  write("replay", "2");
  log.write("notice", "replay", () => assert.fail("built all the same"));
});

Deno.test("flush() tells what is held back, once", () => {
  const { target, log, write } = limited();
  for (const text of ["1", "2", "3"]) write("replay", text);
  log.flush();
  log.flush();
  assert.deepEqual(target.lines.slice(2), ["NOTICE: held back 1 line: replay"]);
});

Deno.test("RateLimitedLog counts for each connection alone: ten that say one thing make ten lines", () => {
  const { target, log } = limited();
  for (let mux = 0; mux < 10; mux++) {
    log.write("notice", "heard", () => `${mux} is here`, mux);
  }
  assert.equal(target.lines.length, 10);
});

Deno.test("flush() makes one line a kind of what is held back, whoever it is about", () => {
  const { target, log, clock } = limited();
  for (let mux = 0; mux < 100; mux++) {
    for (let k = 0; k < 5; k++) log.write("notice", "replay", () => "it", mux);
  }
  target.lines.length = 0;
  log.flush();
  assert.deepEqual(target.lines, [
    "NOTICE: held back 300 lines: replay of 100 connections",
  ]);
  for (let k = 0; k < 3; k++) log.write("notice", "replay", () => "it", 7);
  clock.ms += 1000;
  log.write("notice", "replay", () => "it", 7);
  assert.deepEqual(target.lines.slice(1), [
    "NOTICE: held back 3 lines: replay of connection 7",
    "NOTICE: it",
  ]);
});

Deno.test("RateLimitedLog gives room to no more than some thousands of connections", () => {
  const { target, log } = limited();
  for (let mux = 0; mux < 10_000; mux++) {
    log.write("notice", "replay", () => "it", mux);
  }
  assert.equal(target.lines.length, 4096 + 2);
});
