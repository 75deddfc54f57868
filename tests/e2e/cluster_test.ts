import assert from "node:assert/strict";
import { ClusterFlow } from "../../lab/cluster_flow.ts";
import { CLIENT, type ClusterLab, HOME } from "../../lab/cluster_lab.ts";
import { EndlessCopy, serve } from "../../lab/measure.ts";
import {
  anytun,
  oursFromSource,
  oursNative,
  type PeerProgram,
} from "../../lab/peers.ts";
import { clusterTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

/** Registers a test with three servers, started, of which the first serves. */
function servingTest(
  name: string,
  tag: string,
  programs: readonly PeerProgram[],
  body: (lab: ClusterLab) => Promise<void>,
): void {
  const missing = programs.map((program) => program.missing());
  clusterTest(name, `c${tag}`, missing, async (lab) => {
    await Promise.all(
      programs.map((program, k) => startServer(lab, k + 1, program)),
    );
    await lab.moveTo(1);
    await body(lab);
  });
}

/** Starts a server, and waits until it follows one that was there before. */
async function startServer(
  lab: ClusterLab,
  number: number,
  program: PeerProgram,
) {
  const server = await lab.startServer(number, program);
  await server.line(/sync: connected to/, 30);
  return server;
}

/** Waits until more comes out of the tunnel at a server. */
async function seeCarried(lab: ClusterLab, number: number): Promise<void> {
  const before = await lab.carried(number);
  await until(
    `server ${number} carries`,
    30,
    async () => await lab.carried(number) > before,
  );
}

const ALL_OURS = [oursNative, oursNative, oursNative];

const CLUSTERS: readonly (readonly [string, string, readonly PeerProgram[]])[] =
  [
    ["three servers of ours", "o", ALL_OURS],
    ["portable servers", "p", [oursFromSource, oursFromSource, oursFromSource]],
    ["two servers of ours and an anytun", "m", [
      oursNative,
      anytun,
      oursNative,
    ]],
  ];

for (const [name, tag, programs] of CLUSTERS) {
  servingTest(
    `a copy survives the moves from server to server: ${name}`,
    `m${tag}`,
    programs,
    async (lab) => {
      await serve(lab.home);
      await lab.startClient(oursNative);
      await lab.client.ping(HOME);
      await using copying = EndlessCopy.start(lab.client, HOME);
      await seeCarried(lab, 1);
      for (const number of [2, 3, 1, 3, 2, 1]) {
        await lab.moveTo(number);
        await seeCarried(lab, number);
      }
      const { intact, bytes } = await copying.end();
      assert.ok(intact, `${bytes} bytes`);
    },
  );

  servingTest(
    `a server knows of others where the client is, and where it has gone: ${name}`,
    `k${tag}`,
    programs,
    async (lab) => {
      for (const port of [4444, 5555]) {
        const client = await lab.startClient(oursNative, port);
        // Until it asks, nobody knows where it is.
        await lab.answerThrough(1);
        await lab.client.ping(HOME);
        for (const number of [2, 3]) {
          await lab.answerThrough(number);
          await lab.client.ping(HOME);
        }
        await client.stop();
      }
      assert.equal(await lab.carried(3), 0, "server 3 never heard of it");
    },
  );
}

/** Waits until all servers tell the same of the client, at this port. */
async function agree(lab: ClusterLab, port: number): Promise<void> {
  const right = [
    `Client 5: ${lab.client.ipv4}:${port}`,
    `Route: ${CLIENT}/32 -> 5`,
  ];
  let told: string[] = [];
  await until(`all servers tell ${right}`, 30, async () => {
    told = await Promise.all([1, 2, 3].map((number) => lab.tables(number)));
    return told.every((text) => text === `${right.join("\n")}\n`);
  }).catch((cause) => {
    throw new Error(`${cause.message}, but\n${told.join("\n")}`, { cause });
  });
}

const KILLED: readonly (readonly [string, string, readonly PeerProgram[]])[] = [
  ["a server", "o", ALL_OURS],
  ["a server beside an anytun", "m", [oursNative, anytun, oursNative]],
  ["an anytun beside servers of ours", "a", [anytun, oursNative, oursNative]],
];

for (const [name, tag, programs] of KILLED) {
  servingTest(
    `${name} killed while it serves is no loss once the network moves on, and comes back`,
    `x${tag}`,
    programs,
    async (lab) => {
      await serve(lab.home);
      const client = await lab.startClient(oursNative);
      await lab.client.ping(HOME);
      await using copying = EndlessCopy.start(lab.client, HOME);
      await seeCarried(lab, 1);
      await lab.killServer(1);
      await lab.moveTo(2);
      await seeCarried(lab, 2);
      // Back again, with nothing but what the others tell it.
      await startServer(lab, 1, programs[0] ?? oursNative);
      await lab.answerThrough(1);
      await lab.client.ping(HOME);
      await lab.askThrough(1);
      await seeCarried(lab, 1);
      const { intact, bytes } = await copying.end();
      assert.ok(intact, `${bytes} bytes`);
      await agree(lab, 4444);
      // It tells the others again, too, which have to come back for that.
      await client.stop();
      await lab.startClient(oursNative, 5555);
      await lab.client.ping(HOME);
      await agree(lab, 5555);
    },
  );
}

const CUT: readonly (readonly [string, string, readonly PeerProgram[]])[] = [
  ["servers of ours", "o", ALL_OURS],
  ["a server and an anytun", "m", [oursNative, anytun, oursNative]],
  ["an anytun and a server", "a", [anytun, oursNative, oursNative]],
];

for (const [name, tag, programs] of CUT) {
  servingTest(
    `what a cut sync link has held back arrives when it is healed: ${name}`,
    `y${tag}`,
    programs,
    async (lab) => {
      await lab.startClient(oursNative).then((client) => client.stop());
      await lab.cutSync(1, 2);
      await lab.startClient(oursNative, 5555);
      await lab.client.ping(HOME);
      await lab.answerThrough(3);
      await lab.client.ping(HOME);
      await lab.answerThrough(2);
      await assert.rejects(
        lab.client.ping(HOME, 1),
        "server 2 does not know yet",
      );
      await lab.healSync(1, 2);
      await lab.client.ping(HOME, 30);
      await agree(lab, 5555);
    },
  );
}

servingTest(
  "a move costs a flow of small datagrams next to nothing",
  "f",
  ALL_OURS,
  async (lab) => {
    await lab.startClient(oursNative);
    const flow = await ClusterFlow.start(lab, 5);
    for (const number of [2, 3, 1]) {
      const { sent, lost } = await flow.during(() => lab.moveTo(number));
      assert.ok(lost <= sent / 10, `${lost} of ${sent} lost`);
    }
  },
);
