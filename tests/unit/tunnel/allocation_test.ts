import assert from "node:assert/strict";
import { whyNoLibcrypto } from "../../../lab/engines.ts";
import { run } from "../../../lab/process.ts";

/** MiB that are filled before the first collection. */
const YOUNG_MIB = 64;

/** Bytes that a packet may cost: a quarter of the smallest object. */
const NOTHING = 4;

const HARNESS = new URL("../../fakes/ping_loop.ts", import.meta.url).pathname;

const CASES = [
  ...["all", "in"].flatMap((role) =>
    [1, 40].map((together) => ({ role, together, sets: 1 }))
  ),
  { role: "in", together: 40, sets: 3 },
];

for (const { role, together, sets } of CASES) {
  Deno.test({
    name:
      `${together} packets at a time allocate nothing in worker '${role}', ` +
      `where ${sets} ${sets === 1 ? "set" : "sets"} of keys may open them`,
    ignore: whyNoLibcrypto() !== null,
    async fn() {
      const sizes = `--min-semi-space-size=${YOUNG_MIB},` +
        `--max-semi-space-size=${YOUNG_MIB}`;
      const flags = ["-A", "--quiet", `--v8-flags=${sizes}`];
      const argv = [Deno.execPath(), "run", ...flags, HARNESS];
      const text = await run([...argv, role, String(together), String(sets)], {
        seconds: 120,
      });
      // The runtime compiles when it likes: the best of some runs counts.
      const grown: number[] = JSON.parse(text);
      const least = Math.min(...grown.filter((bytes) => bytes >= 0));
      assert.ok(least < NOTHING, `${grown.join(" ")} bytes for each packet`);
    },
  });
}
