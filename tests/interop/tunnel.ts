import assert from "node:assert/strict";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { copy, serve } from "../../lab/measure.ts";
import { labTest } from "../../lab/test_case.ts";
import type { PeerSettings } from "../../lab/peers.ts";
import { type Case, opposite, optionsOf } from "./cases.ts";
import { PORT } from "./settings.ts";

/** How much is copied through each tunnel in either direction, in bytes. */
const COPY_BYTES = 4_000_000;

/** How long a copy may take before it is given up, in seconds. */
const COPY_SECONDS = 60;

/**
 * Registers a test for each case: the tunnel comes up, answers pings from
 * both sides and carries a copy in either direction unharmed.
 *
 * @param tag Tells the namespaces of these cases from those of others.
 */
export function testTunnels(tag: string, cases: readonly Case[]): void {
  for (const [index, tunnel] of cases.entries()) {
    const missing = [tunnel.first.missing(), tunnel.second.missing()];
    labTest(
      tunnel.name,
      `${tag}${index}`,
      missing,
      (lab) => carry(lab, tunnel),
    );
  }
}

async function carry(lab: Lab, tunnel: Case): Promise<void> {
  const { first, second } = tunnel;
  const daemons = await Promise.all([
    first.start(lab.left, settingsOf(tunnel, "first", lab.right)),
    second.start(lab.right, settingsOf(tunnel, "second", lab.left)),
  ]);
  try {
    await exchange(lab, tunnel);
  } catch (error) {
    const logs = daemons.map(({ lines }) => lines.slice(-20).join("\n"));
    throw new Error(
      `The tunnel does not carry. The daemons say:\n${logs.join("\n--\n")}`,
      { cause: error },
    );
  }
}

async function exchange(lab: Lab, tunnel: Case): Promise<void> {
  const { variant } = tunnel;
  const [left, right] = innerAddresses(tunnel);
  if (variant.waits === "first") await lab.right.ping(left);
  await lab.left.ping(right);
  await lab.right.ping(left);
  await Promise.all([lab.left, lab.right].map(serve));
  await Promise.all([
    assertCopy(lab.left, right),
    assertCopy(lab.right, left),
  ]);
}

async function assertCopy(from: LabHost, address: string): Promise<void> {
  const report = await copy(from, address, COPY_BYTES, COPY_SECONDS);
  assert.equal(report.bytes, COPY_BYTES, "the copy was too slow");
  assert.ok(report.intact, `what ${address} got differs from what was sent`);
}

function settingsOf(
  tunnel: Case,
  side: "first" | "second",
  other: LabHost,
): PeerSettings {
  const { role, variant } = tunnel;
  const [left, right] = innerAddresses(tunnel);
  const address = side === "first" ? left : right;
  const host = variant.outer === "IPv6" ? other.ipv6 : other.ipv4;
  return {
    role: side === "first" ? role : opposite(role),
    type: variant.type ?? "tun",
    addresses: [address + (variant.inner === "IPv6" ? "/64" : "/24")],
    port: PORT,
    ...(variant.waits === side ? {} : { remote: { host, port: PORT } }),
    options: optionsOf(variant, side),
  };
}

function innerAddresses({ variant }: Case): readonly [string, string] {
  return variant.inner === "IPv6"
    ? ["fd00:99::1", "fd00:99::2"]
    : ["10.99.0.1", "10.99.0.2"];
}
