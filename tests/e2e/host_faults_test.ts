import assert from "node:assert/strict";
import { LEFT, RIGHT } from "../interop/settings.ts";
import { runDaemon, startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { copy, serve } from "../../lab/measure.ts";
import { MemoryLimit } from "../../lab/memory_limit.ts";
import { fromSource, jumpingClock } from "../../lab/programs.ts";
import { whyNoLab } from "../../lab/missing.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const DAY = 86_400;

const COMMON = ["-D", "-L", "stdout:5", "-d", "tun7"];
const LEFT_END = [...COMMON, "-n", `${LEFT}/24`];
const RIGHT_END = [...COMMON, "-e", "right", "-n", `${RIGHT}/24`];

/** A small file system for the daemon alone, full but for some bytes. */
const FULL_DISK = 'mount -t tmpfs -o size=8m,mode=755 none "$0" && ' +
  'head -c "$1" /dev/zero >"$0/filler"; shift; exec "$@"';

/** The option of each end, with files of its own. */
async function chains(
  host: LabHost,
  folder: TestFolder,
): Promise<[string[], string[]]> {
  const [ours, theirs] = [folder.file("ours"), folder.file("theirs")];
  const argv = ["genkey", "--chain", "--chain-file", ours];
  assert.equal((await runDaemon(host, argv)).code, 0);
  Deno.copyFileSync(ours, theirs);
  return [["--key-chain", ours], ["--key-chain", theirs]];
}

labTest(
  "a peer whose name nobody knows is found when somebody does",
  "f-nam",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const hosts = folder.file("hosts");
    Deno.writeTextFileSync(hosts, "127.0.0.1 localhost\n");
    const waiting = startDaemon(left, [...LEFT_END, "-E", "x"]);
    await waiting.line(/tunnel is set up/);
    const right_end = [...RIGHT_END, "-E", "x", "-r", "peer.test"];
    const speaking = startDaemon(right, right_end, { hosts });
    await speaking.line(/tunnel is set up/);
    await speaking.line(/peer\.test/);
    Deno.writeTextFileSync(hosts, `${left.ipv4} peer.test\n`);
    await right.ping(LEFT);
    assert.equal((await speaking.stop()).code, 0);
  },
);

labTest(
  "with 160 MiB of memory a copy is whole, and nothing is killed",
  "f-mem",
  [whyNoLab() ?? MemoryLimit.missing()],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const group = `at-mem-${Deno.pid}`;
    await using limit = await MemoryLimit.set(group, folder.path, 160 << 20);
    const command = [...limit.through, ...fromSource.command];
    const program = { ...fromSource, command };
    const waiting = startDaemon(left, [...LEFT_END, "-E", "x"], { program });
    await waiting.line(/tunnel is set up/);
    const speaking = startDaemon(right, [
      ...[...RIGHT_END, "-E", "x", "-r", left.ipv4],
    ]);
    await speaking.line(/tunnel is set up/);
    await right.ping(LEFT);
    await serve(left);
    const bytes = 50e6;
    const { intact } = await copy(right, LEFT, bytes, 60);
    assert.equal(intact, true);
    assert.equal(await limit.kills(), 0);
    assert.equal((await waiting.stop()).code, 0);
  },
);

labTest(
  "a daemon whose state folder is full is not fit, and sends as soon as there is room",
  "f-dsk",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    using outside = new TestFolder();
    const socket = outside.file("vpn.sock");
    const through = ["sh", "-c", FULL_DISK, folder.path, "9000000"];
    const command = [...through, ...fromSource.command];
    const waiting = startDaemon(left, [...LEFT_END, "-E", "x"]);
    await waiting.line(/tunnel is set up/);
    const speaking = startDaemon(right, [
      ...[...RIGHT_END, "-E", "x", "-r", left.ipv4, "-s", "7"],
      ...["--state-dir", folder.path, "--status-socket", socket],
    ], { program: { ...fromSource, command } });
    await speaking.line(/No space left/);
    await speaking.line(/tunnel is set up/);
    await assert.rejects(right.exec("ping", "-c3", "-W1", LEFT));
    await until("it is not fit", 30, async () => {
      const { code, text } = await runDaemon(right, ["health", socket]);
      return code === 1 && /^starting: the state folder takes no/.test(text);
    });
    Deno.removeSync(`/proc/${speaking.pid}/root${folder.path}/filler`);
    await right.ping(LEFT);
    await speaking.line(/health: fit/);
    assert.equal((await speaking.stop()).code, 0);
  },
);

for (
  const [name, keys, jumps] of [
    ["a passphrase", "passphrase", [400 * DAY, -800 * DAY, 400 * DAY]],
    ["a key chain", "chain", [DAY, -2 * DAY, DAY]],
  ] as const
) {
  labTest(
    `with ${name} no tunnel ends because a clock jumps forth and back`,
    `f-${keys[0]}`,
    [],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const [ours, theirs] = keys === "chain"
        ? await chains(left, folder)
        : [["-E", "x"], ["-E", "x"]];
      const program = jumpingClock(...jumps);
      const waiting = startDaemon(left, [...LEFT_END, ...ours], { program });
      await waiting.line(/tunnel is set up/);
      const speaking = startDaemon(right, [
        ...[...RIGHT_END, ...theirs, "-r", left.ipv4],
      ]);
      await speaking.line(/tunnel is set up/);
      await right.ping(LEFT);
      for (const _ of jumps) {
        Deno.kill(waiting.pid, "SIGWINCH");
        // A chain looks at the clock once a second.
        await new Promise((resolve) => setTimeout(resolve, 2000));
        await right.ping(LEFT);
        await left.ping(RIGHT);
      }
      assert.equal((await waiting.stop()).code, 0);
    },
  );
}
