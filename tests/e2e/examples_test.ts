import assert from "node:assert/strict";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { labTest } from "../../lab/test_case.ts";
import { testUnless } from "../../lab/test_unless.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;

/** An address of the example's network that is not its own. */
const HOST = "198.51.100.7";

labTest(
  "the example answers pings of any size, and leaves no device behind",
  "ex-p",
  [],
  async ({ left }) => {
    const flags = ["run", "--quiet", "--no-prompt", "--allow-ffi"];
    const path = `${EXAMPLES}answer_pings.ts`;
    const example = left.spawn(Deno.execPath(), ...flags, path);
    await left.ping(HOST, 30);
    assert.ok(await left.hasDevice("pings0"));
    for (const size of [0, 1, 56, 1372]) {
      // With a deadline it waits for three answers, and asks on meanwhile.
      const limits = ["-c", "3", "-i", "0.01", "-w", "20", "-s", `${size}`];
      const said = await left.exec("ping", "-n", "-q", ...limits, HOST);
      assert.match(said, / packets transmitted, 3 received/);
    }
    await example.stop();
    assert.equal(await left.hasDevice("pings0"), false);
  },
);

const missing = whyNoLab() ?? missingCommand("ping");

testUnless(
  [missing],
  "the example of a tunnel carries pings between two namespaces",
  async () => {
    const args = ["run", "--quiet", "-A", `${EXAMPLES}tunnel.ts`];
    const example = new Deno.Command(Deno.execPath(), {
      args,
      stdout: "piped",
    });
    const { success, stdout } = await example.output();
    const said = new TextDecoder().decode(stdout);
    assert.match(said, / packets transmitted, 3 received/);
    assert.match(said, /^left 192\.0\.2\.2:4444$/m);
    assert.match(said, /^right 192\.0\.2\.1:4444$/m);
    assert.ok(success);
  },
);
