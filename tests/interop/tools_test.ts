import assert from "node:assert/strict";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { missingCommand } from "../../lab/missing.ts";
import { type LabProcess, outcomeOf } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";
import { anytun, oursNative, type PeerProgram } from "../../lab/peers.ts";
import { outputOf, runTool } from "../../lab/tools.ts";
import { LEFT, passphrase, PORT, RIGHT, speakingRight } from "./settings.ts";
import { testUnless } from "../../lab/test_unless.ts";

const MUX = "5";
const CONTROL_PORT = "2323";

/** A way to make the file, and one to serve it. */
interface Tools {
  readonly name: string;
  config(args: readonly string[]): Promise<string>;
  controld(host: LabHost, args: readonly string[]): LabProcess;
}

const ourTools: Tools = {
  name: "our tools",
  config: (args) => outputOf("config", args),
  controld: (host, args) => startDaemon(host, ["controld", ...args]),
};

const originals: Tools = {
  name: "the original tools",
  config: (args) => runOriginal("anytun-config", args),
  controld: (host, args) => host.spawn("anytun-controld", ...args),
};

async function runOriginal(
  program: string,
  args: readonly string[],
  input = "",
): Promise<string> {
  return (await outcomeOf([program, ...args], { input })).stdout;
}

const missing = ["anytun", "anytun-config", "anytun-controld"]
  .map(missingCommand);

let number = 0;
for (const server of [oursNative, anytun]) {
  for (const configured of [ourTools, originals]) {
    for (const served of [ourTools, originals]) {
      const isInterop = [server, configured, served].some((one) =>
        one === anytun || one === originals
      );
      if (!isInterop) continue;
      testTools(server, configured, served);
    }
  }
}

/** A client reaches a server that knows it from a control daemon alone. */
function testTools(server: PeerProgram, configured: Tools, served: Tools) {
  labTest(
    `${server.name} takes a client that ${configured.name} describe and ` +
      `${served.name} serve`,
    `ct${number++}`,
    [...missing, server.missing(), oursNative.missing()],
    async (lab) => {
      using folder = new TestFolder();
      const file = folder.file("clients");
      const client = [...passphrase, "-m", MUX, "-R", `${RIGHT}/32`];
      await Deno.writeTextFile(file, await configured.config(client));
      const control = `127.0.0.1:${CONTROL_PORT}`;
      const controld = served.controld(
        lab.left,
        ["-D", "-L", "stdout:4", "-f", file, "-X", control],
      );
      await controld.line(/sync server listening/);
      const daemon = await server.start(lab.left, {
        role: "left",
        type: "tun",
        addresses: [`${LEFT}/24`],
        port: PORT,
        options: ["-X", control],
      });
      await daemon.line(/sync: connected to/, 20);
      const speaking = speakingRight(lab);
      await oursNative.start(lab.right, {
        ...speaking,
        options: [...speaking.options, "-m", MUX],
      });
      await lab.right.ping(LEFT);
      await lab.left.ping(RIGHT);
    },
  );
}

const noOriginals = ["anytun-config", "anytun-showtables"].map(missingCommand);

/** None with a route that would hang the original. */
const CLIENTS: readonly (readonly string[])[] = [
  ["-E", "secret"],
  ["-E", "secret", "-m", "65535", "-w", "65535", "-e", "right"],
  ["-E", "secret", "-k", "aes-ctr-192", "-r", "192.0.2.7", "-o", "1"],
  ["-E", "secret", "-k", "aes-ctr-256", "-r", "2001:DB8::7"],
  ["-E", "secret", "-6", "-R", "10.0.0.0/8,10.1.2.3/16", "-R", "fd00:1::/33"],
  ["-k", "null", "-R", "0.0.0.0/0"],
  [
    "-K",
    "000102030405060708090a0b0c0d0e0f",
    "-A",
    "0102030405060708090a0b0c0d0e",
  ],
];

for (const args of CLIENTS) {
  testUnless(
    noOriginals,
    `our config prints what anytun-config does, and our table what ` +
      `anytun-showtables does: ${args.join(" ")}`,
    async () => {
      const records = await outputOf("config", args);
      assert.equal(records, await runOriginal("anytun-config", args));
      const stream = records.replaceAll("\n", "");
      const { stdout } = await runTool("showtables", [], stream);
      const theirs = (await runOriginal("anytun-showtables", [], stream))
        // A fault at the end of its input (sync section 8).
        .replace(/uncaught exception.*\n/, "");
      assert.equal(stdout, theirs);
    },
  );
}
