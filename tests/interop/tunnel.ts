import type { Lab, LabHost } from "../support/lab.ts";
import { assertCopies } from "../support/lab_copy.ts";
import { labTest } from "../support/lab_test_case.ts";
import type { PeerSettings } from "../support/peers.ts";
import { type Case, opposite, optionsOf } from "./cases.ts";

/** How much is copied through each tunnel in either direction, in bytes. */
const COPY_BYTES = 10_000_000;

/** The UDP port of every daemon. */
const PORT = 4444;

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
  const { first, second, variant } = tunnel;
  await Promise.all([
    first.start(lab.left, settingsOf(tunnel, "first", lab.right)),
    second.start(lab.right, settingsOf(tunnel, "second", lab.left)),
  ]);
  const [left, right] = innerAddresses(tunnel);
  if (variant.waits === "first") await lab.right.ping(left);
  await lab.left.ping(right);
  await lab.right.ping(left);
  await assertCopies(lab, left, right, COPY_BYTES);
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
