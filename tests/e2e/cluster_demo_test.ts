import assert from "node:assert/strict";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { LabProcess, run } from "../../lab/process.ts";
import { oursNative } from "../../lab/peers.ts";

const DEMO = new URL("../../demo/anycast.ts", import.meta.url).pathname;

const reason = whyNoLab() ?? missingCommand("sysctl") ?? oursNative.missing();
const skipped = reason === null ? "" : ` (skipped: ${reason})`;

Deno.test({
  name: `the demo of anycast draws who serves, and cleans up${skipped}`,
  ignore: reason !== null,
  async fn() {
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
});
