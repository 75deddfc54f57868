import assert from "node:assert/strict";
import { renderChart } from "./chart.ts";
import { parseOptions } from "./options.ts";
import { type Sample, verdictOf } from "./record.ts";

/** A sample each 10 s of an hour, of one daemon. */
function samples(
  resident: (seconds: number) => number,
  descriptors: (seconds: number) => number = () => 20,
): Sample[] {
  return Array.from({ length: 360 }, (_, k) => {
    const seconds = 10 * k;
    const daemon = {
      resident: resident(seconds),
      descriptors: descriptors(seconds),
    };
    const echoes = { sent: 50, lost: k % 2, median: 0.5, worst: k };
    return { seconds, daemons: { left: daemon }, echoes: { pair: echoes } };
  });
}

Deno.test("memory that is flat after ten minutes is no fault, whatever came before", () => {
  const { faults, notes } = verdictOf(
    samples((seconds) => seconds < 600 ? 50e6 + 1e5 * seconds : 60e6),
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(notes, ["left: resident memory +0.0 %"]);
});

Deno.test("memory that grows by more than 5 % after ten minutes is a fault", () => {
  const { faults, text } = verdictOf(
    samples((seconds) => 60e6 + 2000 * seconds),
  );
  assert.equal(text, "faults: 1");
  assert.match(faults[0] ?? "", /^left: resident memory \+7\.\d %$/);
});

Deno.test("descriptors that become more are a fault", () => {
  const { faults } = verdictOf(
    samples(() => 60e6, (seconds) => 20 + Math.floor(seconds / 600)),
  );
  assert.deepEqual(faults, ["left: 4 descriptors more"]);
});

Deno.test("a short soak has no verdict, and says so", () => {
  const { faults, text } = verdictOf(samples(() => 1).slice(0, 6));
  assert.deepEqual(faults, []);
  assert.match(text, /^no verdict/);
});

Deno.test("what ends a soak before its time is a fault", () => {
  const failures = ["left has ended"];
  assert.deepEqual(verdictOf(samples(() => 1), failures).faults, failures);
  assert.deepEqual(verdictOf([], failures).faults, failures);
});

Deno.test("the chart has a line for each daemon and each tunnel", () => {
  const chart = renderChart(samples(() => 60e6));
  assert.equal(chart.match(/<polyline/g)?.length, 2 + 2 + 1);
  assert.doesNotMatch(chart, /NaN|Infinity|undefined/);
});

Deno.test("options of the soak say how long it takes", () => {
  assert.equal(parseOptions([]).seconds, 7200);
  assert.equal(parseOptions(["--minutes", "3"]).seconds, 180);
  assert.throws(
    () => parseOptions(["--hours", "0"]),
    /--hours: current value is 0, expected a number from 1 to 9999/,
  );
  assert.throws(
    () => parseOptions(["--hours", "1", "--minutes", "1"]),
    /both --hours and --minutes/,
  );
});
