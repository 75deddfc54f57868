/**
 * Shows what anycast is for: three of our servers behind one address, and a
 * client that does not notice which of them it talks to. All of it lives in
 * network namespaces, which are removed at the end.
 *
 * @module
 */
import { ClusterFlow } from "../lab/cluster_flow.ts";
import { ANYCAST, CLIENT, ClusterLab, HOME } from "../lab/cluster_lab.ts";
import { copy } from "../lab/measure.ts";
import { whyNoLab } from "../lab/missing.ts";
import { oursNative } from "../lab/peers.ts";
import { present, print, row } from "./stage.ts";

const SERVERS = [1, 2, 3];

/** From one datagram of the client to the next, in ms. */
const INTERVAL_MS = 5;

/** How long data is copied through all of it, in seconds. */
const COPY_SECONDS = 14;

async function inLab(interrupted: Promise<number>): Promise<number> {
  const sockets = await Deno.makeTempDir({ prefix: "anytun-demo-" });
  try {
    await using lab = await ClusterLab.open(`demo-any${Deno.pid}`, sockets);
    return await Promise.race([interrupted, show(lab)]);
  } finally {
    await Deno.remove(sockets, { recursive: true });
  }
}

async function show(lab: ClusterLab): Promise<number> {
  row("servers", `${ANYCAST}, all three; they tell each other of clients`);
  row("client", `${CLIENT} in the tunnel; knows that one address`);
  row("home", `${HOME}, behind the servers`);
  await Promise.all(SERVERS.map((k) => start(lab, k)));
  await lab.moveTo(1);
  await lab.startClient(oursNative);
  const flow = await ClusterFlow.start(lab, INTERVAL_MS);
  const copying = copy(lab.client, HOME, Infinity, COPY_SECONDS);

  const step = async (what: string, happens: () => Promise<unknown>) => {
    const { sent, lost, gap } = await flow.during(happens);
    print(`\n${what}`);
    row("small packets", `${lost} of ${sent} lost, longest pause ${gap} ms`);
    draw(await serving(lab));
  };
  await step("The network has chosen server 1.", () => Promise.resolve());
  await step("It moves the client to server 2 ...", () => lab.moveTo(2));
  await step("... and to server 3.", () => lab.moveTo(3));
  await step("Server 3 is killed; the network goes back to 1.", async () => {
    await lab.killServer(3);
    await lab.moveTo(1);
  });
  await step("Server 3 is started again, and gets the client.", async () => {
    await start(lab, 3);
    await lab.moveTo(3);
  });

  const { bytes, intact } = await copying;
  const megabytes = Math.round(bytes / 1e6);
  const verdict = intact ? "each byte as it was sent" : "NOT INTACT";
  print("");
  row("meanwhile", `one TCP connection copied ${megabytes} MB, ${verdict}`);
  return intact ? 0 : 1;
}

/** Starts a server, and waits until another one has told it what it knows. */
async function start(lab: ClusterLab, number: number): Promise<void> {
  const server = await lab.startServer(number, oursNative);
  await server.line(/sync: connected to/, 30);
}

/** Which server takes packets out of the tunnel; undefined if none does. */
async function serving(lab: ClusterLab): Promise<number | undefined> {
  const count = (k: number) => lab.carried(k).catch(() => 0);
  const before = await Promise.all(SERVERS.map(count));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const after = await Promise.all(SERVERS.map(count));
  const packets = SERVERS.map((_, k) => (after[k] ?? 0) - (before[k] ?? 0));
  const most = Math.max(...packets);
  return most > 0 ? SERVERS[packets.indexOf(most)] : undefined;
}

function draw(number: number | undefined): void {
  const way = (k: number) => k === number ? "======" : "      ";
  const [first, second, third] = SERVERS.map((k) =>
    `${way(k)} server ${k} ${way(k)}`
  );
  print("");
  print(`                     .${first}.`);
  print(`    client === router :${second}: home`);
  print(`                     '${third}'`);
}

if (import.meta.main) {
  Deno.exit(
    await present({
      title: "anytun: three servers behind one address",
      missing: whyNoLab(),
      task: "demo:anycast",
      ending: "The daemons are stopped, and all six hosts are gone again.",
      play: inLab,
    }),
  );
}
