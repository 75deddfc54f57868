import assert from "node:assert/strict";
import { whyNoLab } from "../../lab/missing.ts";
import { LabProcess, run } from "../../lab/process.ts";
import { testUnless } from "../../lab/test_unless.ts";

const DEMO = new URL("../../demo/main.ts", import.meta.url).pathname;

testUnless(
  [whyNoLab()],
  "the demo shows figures and no secret, and cleans up",
  async () => {
    const demo = startDemo();
    const { code } = await demo.ended;
    const text = demo.lines.join("\n");
    assert.equal(code, 0, text);
    assert.match(text, /data plane +native, engine/);
    assert.match(text, /round trip +\d+\.\d+ ms/);
    assert.match(text, /alice to bob +\d+ Mbit\/s.*all of it intact/);
    assert.match(text, /bob to alice +\d+ Mbit\/s.*all of it intact/);
    assert.doesNotMatch(text, /[0-9a-f]{28}/, "a key or salt in hex");
    assert.doesNotMatch(await namespaces(), hostsOf(demo));
  },
);

for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  testUnless([whyNoLab()], `the demo cleans up at ${signal}`, async () => {
    const demo = startDemo();
    await demo.line(/carries packets/);
    assert.match(await namespaces(), hostsOf(demo));
    const { code } = await demo.stop(signal);
    assert.equal(code, status, demo.lines.join("\n"));
    assert.doesNotMatch(await namespaces(), hostsOf(demo));
  });
}

function startDemo(): LabProcess {
  return new LabProcess({
    title: "the demo",
    program: Deno.execPath(),
    args: ["run", "-A", DEMO],
  });
}

/** Finds the network namespaces of one run of the demo. */
function hostsOf(demo: LabProcess): RegExp {
  return new RegExp(`^at-demo-${demo.pid}`, "m");
}

function namespaces(): Promise<string> {
  return run(["ip", "netns", "list"]);
}
