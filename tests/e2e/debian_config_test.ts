import assert from "node:assert/strict";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { isFile } from "../../lab/missing.ts";
import { labTest } from "../../lab/test_case.ts";
import { outputOf } from "../../lab/tools.ts";
import { testUnless } from "../../lab/test_unless.ts";

/** What Debian's package of the original brings along. */
const EXAMPLES = "/usr/share/anytun/examples/config";
const SERVER = "192.168.123.254";

const missing = isFile(`${EXAMPLES}/server/config`)
  ? null
  : "Debian's package anytun is not installed";

function copied(folder: TestFolder): string {
  const { success } = new Deno.Command("cp", {
    args: ["-r", EXAMPLES, folder.file("etc")],
  }).outputSync();
  assert.ok(success);
  return folder.file("etc");
}

labTest(
  "the examples of Debian's package carry packets as they are",
  "dcfg",
  [missing],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const etc = copied(folder);
    const server = ["--config", `${etc}/server/config`];
    const log = ["-D", "-L", "stderr:4"];
    const controld = startDaemon(left, ["controld", ...log, ...server]);
    await controld.line(/sync server listening/);
    const daemon = startDaemon(left, [...log, ...server]);
    await daemon.line(/post-up\.sh' returned 0/, 20);
    const client = startDaemon(right, [
      ...[...log, "--config", `${etc}/client1/config`, "-r", left.ipv4],
    ]);
    await client.line(/post-up\.sh' returned 0/, 20);
    await right.ping(SERVER);
    // Another passphrase, on both sides: what clients have is read at a HUP.
    const path = `${etc}/server/conf.d/client1`;
    const text = Deno.readTextFileSync(path);
    const passphrase = /^passphrase .*$/m;
    Deno.writeTextFileSync(path, text.replace(passphrase, "passphrase new"));
    const seen = controld.lines.length;
    Deno.kill(controld.pid, "SIGHUP");
    await controld.line(/read .*conf\.d again: 1 records are new/, 20, seen);
    await client.stop();
    const next = startDaemon(right, [
      ...[...log, "--config", `${etc}/client1/config`, "-r", left.ipv4],
      ...["-E", "new"],
    ]);
    await next.line(/post-up\.sh' returned 0/, 20);
    await right.ping(SERVER);
    // A fault anywhere leaves everything as it was.
    Deno.writeTextFileSync(path, "mux many\n");
    Deno.kill(controld.pid, "SIGHUP");
    await controld.line(/nothing is changed: .*client1:1:5: Cannot use mux/);
    await right.ping(SERVER);
  },
);

testUnless(
  [missing, Deno.uid() === 0 ? null : "not as root"],
  "anytun-config makes the records of all clients of Debian's example",
  async () => {
    using folder = new TestFolder();
    const etc = copied(folder);
    const all = await outputOf("config", ["--config", `${etc}/server/config`]);
    const single = async (name: string) => {
      const text = Deno.readTextFileSync(`${etc}/server/conf.d/${name}`);
      const lines = text.split("\n").filter((line) => /^\w/.test(line));
      const argv = lines.flatMap((line) => `--${line}`.split(" "));
      return await outputOf("config", argv);
    };
    const names = ["client1", "client2", "client3"];
    assert.equal(all, (await Promise.all(names.map(single))).join(""));
  },
);
