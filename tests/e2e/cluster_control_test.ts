import assert from "node:assert/strict";
import {
  CLIENT as CLUSTER_CLIENT,
  type ClusterLab,
  HOME,
} from "../../lab/cluster_lab.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/process.ts";
import { clusterTest, labTest } from "../../lab/test_case.ts";
import { oursNative } from "../../lab/peers.ts";
import { outputOf } from "../../lab/tools.ts";
import { until } from "../../lab/until.ts";

const SERVER = "10.99.0.1";
const CLIENT = "10.99.0.2";
const PORT = 4444;
const CONTROL = "127.0.0.1:2323";
const WINDOW = ["-w", "64"];

/** The file of one client with this passphrase. */
function clientFile(passphrase: string): Promise<string> {
  const route = ["-R", `${CLIENT}/32`];
  return outputOf("config", ["-E", passphrase, ...WINDOW, ...route]);
}

async function startControld(host: LabHost, file: string): Promise<LabProcess> {
  const controld = startDaemon(host, [
    ...["controld", "-D", "-L", "stdout:4"],
    ...["-f", file, "-X", CONTROL],
  ]);
  await controld.line(/sync server listening/);
  return controld;
}

/** A server that knows nothing but what a control daemon tells. */
async function startServer({ left }: Lab): Promise<LabProcess> {
  const server = await oursNative.start(left, {
    role: "left",
    type: "tun",
    addresses: [`${SERVER}/24`],
    port: PORT,
    options: ["-X", CONTROL],
  });
  await server.line(/sync: connected to/, 20);
  return server;
}

function startClient({ left, right }: Lab, passphrase: string) {
  return oursNative.start(right, {
    role: "right",
    type: "tun",
    addresses: [`${CLIENT}/24`],
    port: PORT,
    remote: { host: left.ipv4, port: PORT },
    options: ["-E", passphrase, ...WINDOW],
  });
}

labTest(
  "a control daemon that restarts takes no sequence number of a server back",
  "cc0",
  [oursNative.missing()],
  async (lab) => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    await Deno.writeTextFile(file, await clientFile("one"));
    const before = await startControld(lab.left, file);
    const server = await startServer(lab);
    await startClient(lab, "one");
    // More than the client's window holds.
    await lab.right.ping(SERVER);
    await lab.left.exec("ping", "-qc", "200", "-i", "0.002", CLIENT);
    await before.stop();
    await server.line(/sync: connection to .* lost \(input stream error\)/);
    const seen = server.lines.length;
    await startControld(lab.left, file);
    await server.line(/sync: connected to/, 20, seen);
    await lab.left.ping(CLIENT);
  },
);

labTest(
  "a client's keys change while the server runs",
  "cc1",
  [oursNative.missing()],
  async (lab) => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    await Deno.writeTextFile(file, await clientFile("one"));
    const controld = await startControld(lab.left, file);
    await startServer(lab);
    const old = await startClient(lab, "one");
    await lab.right.ping(SERVER);
    await Deno.writeTextFile(file, await clientFile("two"));
    Deno.kill(controld.pid, "SIGHUP");
    await controld.line(/read .* again: 1 records are new, 1 are gone/);
    // The server may not have read the record yet.
    await until("the keys of before are refused", 20, () => {
      return lab.right.ping(SERVER, 1).then(() => false, () => true);
    });
    await old.stop();
    // It begins with number 0 again, behind an empty window.
    await startClient(lab, "two");
    await lab.right.ping(SERVER);
    await lab.left.ping(CLIENT);
  },
);

/** A control daemon for a cluster, of a file with one client or without. */
async function startClusterControl(lab: ClusterLab, file: string) {
  const controld = startDaemon(lab.home, [
    ...["controld", "-D", "-L", "stdout:4", "-f", file],
    ...["-X", `${HOME}:2323`],
  ]);
  await controld.line(/sync server listening/);
  return controld;
}

async function startMember(lab: ClusterLab, number: number) {
  const control = ["-X", `${HOME}:2323`];
  const server = await lab.startServer(number, oursNative, control, []);
  await server.line(/sync: connected to 10\.77\.0\.254:2323/, 30);
  return server;
}

const OTHER_CLIENT = "Client 6: not registered\n";

clusterTest(
  "a client that is taken out of the file is served by no member any more, and comes back with it",
  "cc2",
  [oursNative.missing()],
  async (lab) => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    const [client, other] = await Promise.all([
      outputOf("config", [
        ...["-E", "cluster", "-m", "5", "-R", `${CLUSTER_CLIENT}/32`],
      ]),
      outputOf("config", ["-E", "other", "-m", "6"]),
    ]);
    await Deno.writeTextFile(file, client + other);
    const controld = await startClusterControl(lab, file);
    const members = await Promise.all(
      [1, 2].map((number) => startMember(lab, number)),
    );
    await lab.startClient(oursNative);
    for (const number of [1, 2]) {
      await lab.moveTo(number);
      await lab.client.ping(HOME);
    }

    await Deno.writeTextFile(file, other);
    Deno.kill(controld.pid, "SIGHUP");
    await Promise.all(
      members.map((member) => member.line(/sync: connection 5 was removed/)),
    );
    for (const number of [1, 2]) {
      await lab.moveTo(number);
      await assert.rejects(lab.client.ping(HOME, 1), `server ${number}`);
      assert.equal(await lab.tables(number), OTHER_CLIENT);
    }
    // A member that was not there is told nothing of it by the others.
    await lab.killServer(1);
    await startMember(lab, 1);
    // It may follow the control daemon before it has heard it.
    await until("it knows who there is", 20, async () => {
      const tables = await lab.tables(1);
      assert.doesNotMatch(tables, /Client 5:/);
      return tables === OTHER_CLIENT;
    });

    await Deno.writeTextFile(file, client + other);
    Deno.kill(controld.pid, "SIGHUP");
    for (const number of [1, 2]) {
      await lab.moveTo(number);
      await lab.client.ping(HOME);
    }
  },
);
