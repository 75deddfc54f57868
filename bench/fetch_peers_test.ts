import assert from "node:assert/strict";
import { TestFolder } from "../lab/daemons.ts";
import { isFile } from "../lab/missing.ts";

const SHELL = "/bin/sh";
const SCRIPT = new URL("./fetch_peers.sh", import.meta.url).pathname;
const ignore = !isFile(SHELL);
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const APT = ["apt-get", "apt-cache", "apt-config", "dpkg", "dpkg-deb"];

/** Runs the script where its own folder has all the programs there are. */
function fetchPeers(programs: string, ...args: readonly string[]) {
  return fetchPeersWith({ PATH: programs }, ...args);
}

function fetchPeersWith(
  env: Record<string, string>,
  ...args: readonly string[]
) {
  const { code, stderr } = new Deno.Command(SHELL, {
    args: [SCRIPT, ...args],
    clearEnv: true,
    env,
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

Deno.test({
  name: "fetching peers leaves nothing behind when a signal ends it",
  ignore: ignore || !isFile(KEYRING),
  fn() {
    using scratch = new TestFolder();
    const [programs, temporary] = [scratch.file("bin"), scratch.file("tmp")];
    for (const folder of [programs, temporary]) Deno.mkdirSync(folder);
    for (const name of APT) {
      // The first call of apt-get ends the script that makes it.
      const text = `#!${SHELL}\n[ "${name}" != apt-get ] || kill -TERM $PPID\n`;
      Deno.writeTextFileSync(`${programs}/${name}`, text, { mode: 0o700 });
    }
    const env = { PATH: `${programs}:/usr/bin:/bin`, TMPDIR: temporary };
    const { code } = fetchPeersWith(env, scratch.file("peers"));
    assert.equal(code, 1);
    assert.deepEqual([...Deno.readDirSync(temporary)], []);
  },
});
