import assert from "node:assert/strict";
import { tlsOptions, whyNoTls } from "../../lab/certificates.ts";
import { TestFolder } from "../../lab/daemons.ts";
import { FloodLab } from "../../lab/flood_lab.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { testUnless } from "../../lab/test_unless.ts";
import { outputOf } from "../../lab/tools.ts";

const TIMES = 20;

/** Registers a test with a server that has something to tell. */
function floodTest(
  name: string,
  tag: string,
  missing: string | null,
  options: readonly string[],
  body: (lab: FloodLab) => Promise<void>,
): void {
  const needed = [missing, whyNoLab(), missingCommand("ping")];
  testUnless(needed, name, async () => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    const client = ["-E", "secret", "-R", "10.99.0.2/32"];
    await Deno.writeTextFile(file, await outputOf("config", client));
    await using lab = await FloodLab.open(`${tag}-${Deno.pid}`);
    await lab.startServer(["-f", file, ...options]);
    await body(lab);
  });
}

async function expectAll(lab: FloodLab, as: "alice" | "nobody") {
  const results = await lab.ask(TIMES, as);
  const got = results.filter((line) => line.startsWith("got"));
  assert.equal(got.length, TIMES, results.join("\n"));
}

for (
  const [what, tag, beginning, from] of [
    ["say nothing", "fn", "nothing", "one address"],
    ["begin a handshake and stop", "fh", "hello", "one address"],
    ["begin a handshake and stop", "fm", "hello", "many networks"],
  ] as const
) {
  floodTest(
    `500 connections a second from ${from} that ${what} keep no member out of TLS`,
    tag,
    whyNoTls,
    tlsOptions("bob", "ca"),
    async (lab) => {
      await lab.flood(beginning, from);
      await expectAll(lab, "alice");
    },
  );
}

floodTest(
  "500 connections a second from one address keep no member of another one out where there is no TLS",
  "fp",
  null,
  [],
  async (lab) => {
    await lab.flood("nothing", "one address");
    await expectAll(lab, "nobody");
  },
);
