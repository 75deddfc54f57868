import assert from "node:assert/strict";
import { CLIENT, type ClusterLab, HOME } from "../../lab/cluster_lab.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { oursNative } from "../../lab/peers.ts";
import { clusterTest } from "../../lab/test_case.ts";
import { outputOf } from "../../lab/tools.ts";

const CONTROL = `${HOME}:2323`;
const LEARNING = ["-X", CONTROL, "--member-rights", "learn"];
/** Other keys for the client's mux, whose peer is at once known, and a route. */
const LIES = [
  ...["-E", "a lie", "-m", "5", "-r", "198.51.100.1"],
  ...["-R", "10.66.0.0/16"],
];

async function startControl(lab: ClusterLab, file: string) {
  const route = ["-R", `${CLIENT}/32`];
  const text = await outputOf("config", ["-E", "cluster", "-m", "5", ...route]);
  await Deno.writeTextFile(file, text);
  const controld = startDaemon(lab.home, [
    ...["controld", "-D", "-L", "stdout:4", "-f", file, "-X", CONTROL],
  ]);
  await controld.line(/sync server listening/);
}

clusterTest(
  "others that only learn take no key and no route from a server that lies, and one that has not heard a client is told where it is",
  "cr0",
  [oursNative.missing()],
  async (lab) => {
    using folder = new TestFolder();
    await startControl(lab, folder.file("clients"));
    const start = (number: number) =>
      lab.startServer(number, oursNative, LEARNING, []);
    const [learning] = await Promise.all([
      ...[start(1), start(2)],
      lab.startClient(oursNative),
    ]);
    assert.ok(learning !== undefined);
    // Server 1 answers to where server 2 alone has heard the client.
    await Promise.all([lab.askThrough(2), lab.answerThrough(1)]);
    await lab.client.ping(HOME);

    await lab.startServer(3, oursNative, [], LIES);
    await learning.line(/ states connection 5, .* passed over/, 30);
    assert.match(await lab.tables(3), /10\.66\.0\.0/);
    assert.doesNotMatch(await lab.tables(1), /10\.66\.0\.0/);
    await lab.client.ping(HOME);

    // Whichever it hears first, server 2, the liar or the control daemon.
    await lab.killServer(1);
    await start(1);
    await lab.client.ping(HOME);
    assert.doesNotMatch(await lab.tables(1), /10\.66\.0\.0/);
  },
);
