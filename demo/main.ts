/**
 * Shows a tunnel at work: two hosts, made of network namespaces, a cable
 * between them, one of our daemons on each. Removes all of it at the end.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { Lab } from "../lab/lab.ts";
import { copy, probe, serve } from "../lab/measure.ts";
import { whyNoLab } from "../lab/missing.ts";
import type { CopyReport } from "../lab/scripts/traffic.ts";
import { oursNative, oursOnBuiltin, type PeerSettings } from "../lab/peers.ts";
import { present, row } from "./stage.ts";

const PORT = 4444;
const ALICE = "10.99.0.1";
const BOB = "10.99.0.2";

/** How many round trips are measured. */
const PROBES = 50;

/** How long data is copied in each direction, in seconds. */
const COPY_SECONDS = 3;

async function inLab(interrupted: Promise<number>): Promise<number> {
  await using lab = await Lab.open(`demo-${Deno.pid}`);
  return await Promise.race([interrupted, show(lab)]);
}

async function show(lab: Lab): Promise<number> {
  const { left: alice, right: bob } = lab;
  row("alice", `${alice.ipv4} on the cable, ${ALICE} in the tunnel`);
  row("bob", `${bob.ipv4} on the cable, ${BOB} in the tunnel`);
  row("protection", "AES-128-CTR and HMAC-SHA1-80, new keys per packet");
  row("secret", "128 random bits, made up just now");

  await serve(bob);
  await serve(alice);
  const start = performance.now();
  const plane = await startTunnel(lab);
  await probe(alice, BOB, 1);
  const seconds = (performance.now() - start) / 1000;
  row("data plane", plane);
  row("tunnel", `carries packets after ${seconds.toFixed(1)} s`);

  const { milliseconds } = await probe(alice, BOB, PROBES);
  row("round trip", describeRoundTrips(milliseconds));
  const there = await copy(alice, BOB, Infinity, COPY_SECONDS);
  row("alice to bob", describeCopy(there));
  const back = await copy(bob, ALICE, Infinity, COPY_SECONDS);
  row("bob to alice", describeCopy(back));
  return there.intact && back.intact ? 0 : 1;
}

/**
 * Starts both daemons with a secret that nobody has seen before.
 *
 * @returns What they say of the data plane.
 */
async function startTunnel(lab: Lab): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "anytun-demo-" });
  try {
    return await startDaemons(lab, [
      ...["--key-file", await writeSecret(folder, "key", 16)],
      ...["--salt-file", await writeSecret(folder, "salt", 14)],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns The path of a file with so many random bytes in hexadecimal. */
async function writeSecret(
  folder: string,
  name: string,
  bytes: number,
): Promise<string> {
  const path = `${folder}/${name}`;
  await Deno.writeTextFile(path, randomBytes(bytes).toString("hex"), {
    mode: 0o600,
  });
  return path;
}

async function startDaemons(
  { left, right }: Lab,
  secrets: readonly string[],
): Promise<string> {
  // Without the system's libcrypto the runtime's own serves, more slowly.
  const program = oursNative.missing() === null ? oursNative : oursOnBuiltin;
  const common = {
    type: "tun",
    port: PORT,
    options: [...secrets, "-w", "1024"],
  } as const satisfies Partial<PeerSettings>;
  const [daemon] = await Promise.all([
    program.start(left, {
      ...common,
      role: "left",
      addresses: [`${ALICE}/24`],
      remote: { host: right.ipv4, port: PORT },
    }),
    program.start(right, {
      ...common,
      role: "right",
      addresses: [`${BOB}/24`],
      remote: { host: left.ipv4, port: PORT },
    }),
  ]);
  const said = await daemon.line(/ data plane, /);
  return said.replace(/.*NOTICE: (.*) data plane/, "$1");
}

function describeRoundTrips(milliseconds: readonly number[]): string {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.round(share * (sorted.length - 1))] ?? NaN).toFixed(2);
  return `${at(0.5)} ms, the median of ${sorted.length} ` +
    `(${at(0)} to ${at(1)} ms)`;
}

function describeCopy({ bytes, seconds, intact }: CopyReport): string {
  const speed = Math.round(bytes * 8 / seconds / 1e6);
  const megabytes = Math.round(bytes / 1e6);
  const verdict = intact ? "all of it intact" : "NOT INTACT";
  return `${speed} Mbit/s, ${megabytes} MB in ${seconds.toFixed(1)} s, ` +
    verdict;
}

if (import.meta.main) {
  Deno.exit(
    await present({
      title: "anytun: two hosts, a cable and a tunnel",
      missing: whyNoLab(),
      task: "demo",
      ending: "The daemons are stopped, and both hosts are gone again.",
      play: inLab,
    }),
  );
}
