import assert from "node:assert/strict";
import type { Sample } from "./record.ts";
import { renderTables } from "./tables.ts";

function sampleAt(seconds: number): Sample {
  const resident = 2 ** 20 * (seconds < 1000 ? 60 : 63);
  const echoes = { sent: 10, lost: 1, median: 2, worst: seconds / 100 };
  return {
    seconds,
    daemons: { left: { resident, descriptors: 40 } },
    echoes: { pair: echoes },
  };
}

Deno.test("tables of a soak have what became of daemons and tunnels, and what was done", () => {
  const samples = [600, 800, 1000, 1200, 1400].map(sampleAt);
  const happenings = [{ seconds: 1, what: "left roams" }];
  const record = { samples, happenings: [...happenings, ...happenings] };
  const rows = renderTables(record).split("\n")
    .filter((row) => !/^(\| (daemon|tunnel|what|---).*|)$/.test(row));
  assert.deepEqual(rows, [
    "| left | 60.0 | 63.0 | +5.0 % | 40 | 40 |",
    "| pair | 50 | 5 | 2.0 | 14 |",
    "| left roams | 2 |",
  ]);
});
