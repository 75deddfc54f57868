import assert from "node:assert/strict";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { bird } from "../../lab/routing_programs.ts";
import { LabProcess, run } from "../../lab/process.ts";
import { oursNative } from "../../lab/peers.ts";
import { testUnless } from "../../lab/test_unless.ts";

const BGP_DEMO = new URL("../../demo/bgp.ts", import.meta.url).pathname;
const DEMO = new URL("../../demo/anycast.ts", import.meta.url).pathname;

const needed = [whyNoLab(), missingCommand("sysctl"), oursNative.missing()];

testUnless(
  needed,
  "the demo of anycast draws who serves, and cleans up",
  async () => {
    const demo = new LabProcess({
      title: "the demo",
      program: Deno.execPath(),
      args: ["run", "-A", DEMO],
    });
    const { code } = await demo.ended;
    const text = demo.lines.join("\n");
    assert.equal(code, 0, text);
    const drawn = [...text.matchAll(/== server (\d) ==/g)].map(([, k]) => k);
    assert.deepEqual(drawn, ["1", "2", "3", "1", "3"], text);
    assert.match(text, /copied \d+ MB, each byte as it was sent/);
    const namespaces = await run(["ip", "netns", "list"]);
    assert.ok(!namespaces.includes(`at-demo-any${demo.pid}`), namespaces);
  },
);

testUnless(
  [...needed, bird.missing()],
  "the demo of BGP has a member serve, and cleans up after Ctrl-C",
  async () => {
    const demo = new LabProcess({
      title: "the demo",
      program: Deno.execPath(),
      args: ["run", "-A", BGP_DEMO],
    });
    await demo.line(/=== server 1$/);
    const { code } = await demo.stop("SIGINT");
    const text = demo.lines.join("\n");
    assert.equal(code, 130, text);
    assert.match(text, /\b0 of \d+ lost\n/);
    assert.match(text, /all six hosts are gone again/);
    const namespaces = await run(["ip", "netns", "list"]);
    assert.ok(!namespaces.includes(`at-demo-bgp${demo.pid}`), namespaces);
  },
);
