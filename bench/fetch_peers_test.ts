import assert from "node:assert/strict";
import { TestFolder } from "../lab/daemons.ts";
import { isFile } from "../lab/missing.ts";

const SHELL = "/bin/sh";
const SCRIPT = new URL("./fetch_peers.sh", import.meta.url).pathname;
const ignore = !isFile(SHELL);

/** Runs the script where its own folder has all the programs there are. */
function fetchPeers(programs: string, ...args: readonly string[]) {
  const { code, stderr } = new Deno.Command(SHELL, {
    args: [SCRIPT, ...args],
    clearEnv: true,
    env: { PATH: programs },
  }).outputSync();
  return { code, told: new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "fetching peers without apt is refused, and makes no folder",
  ignore,
  fn() {
    using scratch = new TestFolder();
    const folder = scratch.file("peers");
    const { code, told } = fetchPeers("/nowhere", folder);
    assert.equal(code, 1);
    assert.match(told, /^Cannot fetch peers: apt-get is not installed$/m);
    assert.throws(() => Deno.statSync(folder), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "fetching peers to nowhere is refused with the usage",
  ignore,
  fn() {
    for (const args of [[], [""], ["one", "two"]]) {
      const { code, told } = fetchPeers("/nowhere", ...args);
      assert.equal(code, 1);
      assert.match(told, /usage: .*fetch_peers\.sh <folder>/);
    }
  },
});
