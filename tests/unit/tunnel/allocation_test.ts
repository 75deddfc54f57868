import assert from "node:assert/strict";
import { whyNoLibcrypto } from "../../../lab/engines.ts";
import { run } from "../../../lab/process.ts";
import { testUnless } from "../../../lab/test_unless.ts";

/** MiB that are filled before the first collection. */
const YOUNG_MIB = 64;

/** Bytes that a packet may cost: a quarter of the smallest object. */
const NOTHING = 4;

/** @returns What the heap grew by for each packet, in the best of some runs */
async function grownBy(harness: string, ...args: string[]): Promise<number> {
  const sizes = `--min-semi-space-size=${YOUNG_MIB},` +
    `--max-semi-space-size=${YOUNG_MIB}`;
  const flags = ["-A", "--quiet", `--v8-flags=${sizes}`];
  const path = new URL(`../../fakes/${harness}`, import.meta.url).pathname;
  const argv = [Deno.execPath(), "run", ...flags, path, ...args];
  const text = await run(argv, { seconds: 120 });
  // The runtime compiles when it likes: the best of some runs counts.
  const grown: number[] = JSON.parse(text);
  return Math.min(...grown.filter((bytes) => bytes >= 0));
}

const CASES = [
  ...["all", "in"].flatMap((role) =>
    [1, 40].map((together) => ({ role, together, sets: 1 }))
  ),
  { role: "in", together: 40, sets: 3 },
];

for (const { role, together, sets } of CASES) {
  testUnless(
    [whyNoLibcrypto()],
    `${together} packets at a time allocate nothing in worker '${role}', ` +
      `where ${sets} ${sets === 1 ? "set" : "sets"} of keys may open them`,
    async () => {
      const args = [role, String(together), String(sets)];
      const grown = await grownBy("ping_loop.ts", ...args);
      assert.ok(grown < NOTHING, `${grown} bytes for each packet`);
    },
  );
}

for (
  const [mode, what] of [
    ["senders", "replay windows of senders in turn allocate"],
    ["IPv4", "the source filter of IPv4 allocates"],
    ["IPv6", "the source filter of IPv6 allocates"],
    ["refused", "lines that are held back about a flood allocate"],
  ] as const
) {
  Deno.test(`${what} nothing for a packet`, async () => {
    const grown = await grownBy("policy_loop.ts", mode);
    assert.ok(grown < NOTHING, `${grown} bytes for each packet`);
  });
}
