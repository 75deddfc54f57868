import assert from "node:assert/strict";
import { tlsOptions, whyNoTls } from "../../lab/certificates.ts";
import { HOME } from "../../lab/cluster_lab.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { clusterTest, labTest } from "../../lab/test_case.ts";
import { oursNative } from "../../lab/peers.ts";
import { outputOf } from "../../lab/tools.ts";

/** What each of three servers shows, and believes. */
const WAYS: readonly (readonly [string, string, readonly string[][]])[] = [
  ["the same certificate", "s", [
    tlsOptions("shared"),
    tlsOptions("shared"),
    tlsOptions("shared"),
  ]],
  ["certificates of one authority", "m", [
    tlsOptions("alice", "ca"),
    tlsOptions("bob", "ca"),
    tlsOptions("alice", "ca"),
  ]],
];

for (const [name, tag, certificates] of WAYS) {
  clusterTest(
    `servers take over each other's client by way of TLS with ${name}, even out of a jail`,
    `tc${tag}`,
    [whyNoTls, oursNative.missing()],
    async (lab) => {
      using folder = new TestFolder();
      const jail = ["-u", "nobody", "-C", folder.path];
      await Promise.all(certificates.map(async (options, k) => {
        const server = await lab.startServer(k + 1, oursNative, [
          ...options,
          ...(k === 1 ? jail : []),
        ]);
        await server.line(/sync server listening on .* with TLS/);
        await server.line(/sync: connected to/, 30);
        assert.doesNotMatch(server.lines.join("\n"), /clear text/);
      }));
      await lab.moveTo(1);
      for (const port of [4444, 5555]) {
        const client = await lab.startClient(oursNative, port);
        for (const number of [1, 2, 3]) {
          await lab.answerThrough(number);
          await lab.client.ping(HOME);
        }
        await client.stop();
      }
      assert.equal(await lab.carried(3), 0, "server 3 never heard of it");
      // All that comes is news for server 3 as well, and then for the others.
      const client = await lab.startClient(oursNative, 6666);
      await lab.moveTo(2);
      await lab.client.ping(HOME);
      await lab.answerThrough(3);
      await lab.client.ping(HOME);
      await client.stop();
    },
  );
}

const CONTROL = "127.0.0.1:2323";
const SERVER = "10.99.0.1";
const CLIENT = "10.99.0.2";

labTest(
  "a control daemon tells those of its client that have a certificate, and nobody else",
  "tcc",
  [whyNoTls, oursNative.missing()],
  async (lab) => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    const client = ["-E", "secret", "-R", `${CLIENT}/32`];
    await Deno.writeTextFile(file, await outputOf("config", client));
    const controld = startDaemon(lab.left, [
      ...["controld", "-D", "-L", "stdout:4"],
      ...["-f", file, "-X", CONTROL, ...tlsOptions("alice", "ca")],
    ]);
    await controld.line(/sync server listening on .* with TLS/);
    const follow = (port: number, options: readonly string[]) =>
      oursNative.start(lab.left, {
        role: "left",
        type: "tun",
        addresses: [`${SERVER}/24`],
        port,
        options: ["-X", CONTROL, ...options],
      });
    const intruder = await follow(4444, tlsOptions("intruder", "ca"));
    await controld.line(/client .* refused: its certificate is refused/, 20);
    const plain = await follow(4445, ["-d", "at1"]);
    await plain.line(/sync: connected to/, 20);
    await controld.line(/client .* refused: it does not use TLS/, 20);
    await plain.stop();
    await intruder.stop();
    assert.doesNotMatch(controld.lines.join("\n"), /new sync client/);

    const server = await follow(4444, tlsOptions("bob", "ca"));
    await server.line(/sync: connected to/, 20);
    await oursNative.start(lab.right, {
      role: "right",
      type: "tun",
      addresses: [`${CLIENT}/24`],
      port: 4444,
      remote: { host: lab.left.ipv4, port: 4444 },
      options: ["-E", "secret"],
    });
    await lab.right.ping(SERVER);
    await lab.left.ping(CLIENT);
  },
);
