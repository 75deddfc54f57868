import assert from "node:assert/strict";
import { whyNoLibcrypto } from "../../../lab/engines.ts";
import { run } from "../../../lab/process.ts";

/** MiB that are filled before the first collection. */
const YOUNG_MIB = 64;

/** Bytes that a packet may cost: a quarter of the smallest object. */
const NOTHING = 4;

const HARNESS = new URL("../../fakes/ping_loop.ts", import.meta.url).pathname;

for (const role of ["all", "in"]) {
  for (const together of [1, 40]) {
    Deno.test({
      name:
        `${together} packets at a time allocate nothing in worker '${role}'`,
      ignore: whyNoLibcrypto() !== null,
      async fn() {
        const sizes = `--min-semi-space-size=${YOUNG_MIB},` +
          `--max-semi-space-size=${YOUNG_MIB}`;
        const flags = ["-A", "--quiet", `--v8-flags=${sizes}`];
        const argv = [Deno.execPath(), "run", ...flags, HARNESS];
        const text = await run([...argv, role, String(together)], {
          seconds: 120,
        });
        // The runtime compiles when it likes: the best of some runs counts.
        const grown: number[] = JSON.parse(text);
        const least = Math.min(...grown.filter((bytes) => bytes >= 0));
        assert.ok(least < NOTHING, `${grown.join(" ")} bytes for each packet`);
      },
    });
  }
}
