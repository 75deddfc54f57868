import assert from "node:assert/strict";
import type { InForce, Reading } from "../../../src/config/reading.ts";
import type { Service } from "../../../src/daemon/lifecycle.ts";
import { LiveOptions } from "../../../src/daemon/reload.ts";
import { firstReading } from "../../../lab/first_reading.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

/** Options that are one text, and come from a list of readings. */
function setUp(readings: (Partial<Reading<string>> | Error)[]) {
  const logger = recordingLog();
  const asked: InForce[] = [];
  const live = new LiveOptions<string>({
    ...firstReading("first"),
    warnings: ["known"],
    values: { text: "first" },
    readAgain(inForce) {
      asked.push(inForce);
      const next = readings.shift();
      if (next === undefined || next instanceof Error) throw next;
      return { ...firstReading("?"), ...next };
    },
  }, logger);
  return { live, logger, asked };
}

const fine: Service<string> = { name: "fine", live: ["text", "more"] };

Deno.test("options that are read again are in force once all have agreed", async () => {
  const seen: string[] = [];
  const { live, logger, asked } = setUp([{
    options: "second",
    warnings: ["known", "news"],
    changed: { live: ["--text"], waiting: ["--port in a.yaml:3"] },
    values: { text: "second" },
  }, {}]);
  const checks: Service<string> = {
    name: "checks",
    check: (next) => void seen.push(next),
  };
  assert.equal(await live.renew([fine, checks]), "second");
  assert.deepEqual(seen, ["second"]);
  assert.deepEqual(logger.lines, [
    "WARNING: news",
    "NOTICE: options that have changed: --text",
    "WARNING: --port in a.yaml:3 has changed: takes effect at the next start",
  ]);
  await live.renew([fine]);
  assert.deepEqual(asked.map(({ values }) => values), [
    { text: "first" },
    { text: "second" },
  ]);
  const isLive = ["text", "more", "port"].map((key) => asked[0]?.isLive(key));
  assert.deepEqual(isLive, [true, true, false]);
});

Deno.test("a fault in the options is one line, and changes nothing", async () => {
  const { live, logger, asked } = setUp([
    new Error("Cannot use '--mtu in a.yaml:7' x"),
    { options: "third" },
  ]);
  assert.equal(await live.renew([fine]), "first");
  assert.deepEqual(logger.lines, [
    "ERROR: Cannot take over the options, nothing is changed: " +
    "Cannot use '--mtu in a.yaml:7' x",
  ]);
  assert.equal(live.refusal, "Cannot use '--mtu in a.yaml:7' x");
  await live.renew([fine]);
  assert.equal(live.refusal, undefined);
  assert.deepEqual(asked[1]?.values, { text: "first" });
});

Deno.test("a fault that has several lines is one line", async () => {
  const { live, logger } = setUp([
    new Error("a quote\n  mtu: x\n       ^ here"),
  ]);
  await live.renew([fine]);
  assert.match(logger.lines[0] ?? "", /changed: a quote; mtu: x; {1,2}here$/);
});

Deno.test("where one service is at fault, the others undo what they did", async () => {
  const notes: string[] = [];
  const { live, logger } = setUp([{ options: "second" }, { options: "third" }]);
  const opens: Service<string> = {
    name: "opens",
    check(next, undo) {
      notes.push(`open ${next}`);
      undo.defer(() => notes.push(`close ${next}`));
    },
  };
  const fails: Service<string> = {
    name: "fails",
    check: (next) =>
      next === "second" ? Promise.reject(new Error("no room")) : undefined,
  };
  assert.equal(await live.renew([opens, fails]), "first");
  assert.deepEqual(notes, ["open second", "close second"]);
  assert.match(logger.lines[0] ?? "", /nothing is changed: no room$/);
  assert.equal(await live.renew([opens, fails]), "third");
  assert.deepEqual(notes.slice(2), ["open third"]);
});

Deno.test("without a source to read again, options stay", async () => {
  const logger = recordingLog();
  const live = new LiveOptions(firstReading("first"), logger);
  assert.equal(await live.renew([fine as Service<unknown>]), "first");
  assert.deepEqual(logger.lines, []);
});
