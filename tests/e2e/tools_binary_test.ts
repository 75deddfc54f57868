import assert from "node:assert/strict";
import { TestFolder } from "../../lab/daemons.ts";
import type { Outcome } from "../../lab/process.ts";
import { asBinary } from "../../lab/programs.ts";
import {
  type CommandOf,
  outputOf,
  runTool,
  startControld,
  startTool,
  type Tool,
} from "../../lab/tools.ts";
import { testUnless } from "../../lab/test_unless.ts";

const [BINARY = ""] = asBinary.command;
const TOOLS: readonly Tool[] = ["config", "controld", "showtables"];

/** Registers a test for each way to call the tools of the binary. */
function binaryTest(
  name: string,
  body: (commandOf: CommandOf, folder: TestFolder) => Promise<void>,
): void {
  const ways: readonly (readonly [string, (path: string) => CommandOf])[] = [
    [
      "by the name of the program",
      (path) => (tool) => [`${path}/anytun-${tool}`],
    ],
    ["by a first word", () => (tool) => [BINARY, tool]],
  ];
  for (const [way, commandOf] of ways) {
    testUnless([asBinary.missing], `${name}, called ${way}`, async () => {
      using folder = new TestFolder();
      for (const tool of TOOLS) {
        await Deno.symlink(BINARY, folder.file(`anytun-${tool}`));
      }
      await body(commandOf(folder.path), folder);
    });
  }
}

const CLIENT = ["-E", "secret", "-m", "5", "-w", "64", "-e", "right"];
const ROUTES = ["-R", "10.0.0.0/8,fd00::/8"];

/** What a tool has said, without the time of log lines. */
function timeless({ stderr, ...end }: Outcome): Outcome {
  const time = /^\d{4}-[A-Z][a-z]{2}-\d\d [\d:]{8} /gm;
  return { ...end, stderr: stderr.replaceAll(time, "") };
}

const CALLS: readonly (readonly [Tool, readonly string[]])[] = [
  ["config", ["--help"]],
  ["config", [...CLIENT, ...ROUTES, "-r", "192.0.2.7"]],
  ["config", ["-k", "aes-ctr-256", "-E", "secret", "-r", "2001:db8::7"]],
  ["config", ["-k", "null"]],
  ["config", ["-m", "5"]],
  ["config", ["-R", "10.0.0.0/33"]],
  ["controld", ["--help"]],
  ["controld", ["-D"]],
  ["controld", ["-f"]],
  ["showtables", ["--help"]],
  ["showtables", []],
  ["showtables", ["--json"]],
  ["showtables", ["--jsno"]],
  ["showtables", ["-X", ":7"]],
];

binaryTest(
  "the tools of the binary say what those from source say",
  async (commandOf) => {
    const records = await outputOf("config", [...CLIENT, ...ROUTES]);
    const input = `${records}00005 12345`;
    for (const [tool, args] of CALLS) {
      assert.deepEqual(
        timeless(await runTool(tool, args, input, commandOf)),
        timeless(await runTool(tool, args, input)),
        `${tool} ${args.join(" ")}`,
      );
    }
  },
);

binaryTest(
  "showtables of the binary follows what its controld serves",
  async (commandOf, folder) => {
    const file = folder.file("clients");
    const config = (...args: string[]) =>
      outputOf("config", [...CLIENT, ...args], "", commandOf);
    await Deno.writeTextFile(file, await config("-r", "192.0.2.7"));
    const { controld, port } = await startControld(file, [], commandOf);
    const asking = ["--connect", `127.0.0.1:${port}`];
    const shown = startTool("showtables", [...asking, "--watch"], commandOf);
    try {
      await shown.line(/^Client 5: 192\.0\.2\.7:4444$/);
      await Deno.writeTextFile(file, await config("-r", "192.0.2.8"));
      Deno.kill(controld.pid, "SIGHUP");
      await shown.line(/^Client 5: 192\.0\.2\.8:4444$/);
      assert.equal(
        await outputOf("showtables", asking),
        "Client 5: 192.0.2.8:4444\n",
        "from source",
      );
    } finally {
      await shown.stop();
      assert.equal((await controld.stop()).code, 0);
    }
  },
);

binaryTest(
  "controld of the binary goes to the background as itself",
  async (commandOf, folder) => {
    const file = folder.file("clients");
    await Deno.writeTextFile(file, await outputOf("config", CLIENT));
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const at = `127.0.0.1:${listener.addr.port}`;
    listener.close();
    const pidFile = folder.file("pid");
    const args = [
      ...["-f", file, "-X", at, "-P", pidFile],
      ...["-L", `file:3,${folder.file("log")}`],
    ];
    await outputOf("controld", args, "", commandOf);
    const pid = Number(await Deno.readTextFile(pidFile));
    try {
      const name = await Deno.readTextFile(`/proc/${pid}/comm`);
      assert.equal(name, "anytun-controld\n");
      const asking = ["--connect", at];
      assert.equal(
        await outputOf("showtables", asking, "", commandOf),
        "Client 5: not registered\n",
      );
    } finally {
      Deno.kill(pid, "SIGTERM");
    }
  },
);
