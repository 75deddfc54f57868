/**
 * nebula: both hosts know each other's address, so that there is neither a
 * lighthouse nor a relay.
 *
 * @module
 */

import type { TestFolder } from "../../../lab/daemons.ts";
import type { Sides } from "../../../lab/lab.ts";
import { run } from "../../../lab/process.ts";
import type { PeerPrograms } from "../peers.ts";
import type { Subject } from "../subject.ts";
import {
  DEVICE,
  INNER4,
  INNER4_BITS,
  INNER6,
  INNER6_BITS,
  INNER_MTU,
  otherSide,
  type Side,
  SIDES,
  Tunnel,
} from "../tunnel.ts";

const PORT = 4242;

/**
 * Bytes of each socket buffer: what nebula's own example suggests, and half as
 * fast again as the system's default.
 */
const BUFFER = 10 * 2 ** 20;

/** nebula gives its device the addresses of the certificate. */
function networks(side: Side): string {
  return [
    `${INNER4[side]}/${INNER4_BITS}`,
    `${INNER6[side]}/${INNER6_BITS}`,
  ].join();
}

async function certify(
  command: readonly string[],
  scratch: TestFolder,
): Promise<void> {
  const ca = [scratch.file("nebula-ca.crt"), scratch.file("nebula-ca.key")];
  const [crt = "", key = ""] = ca;
  for (const file of ca) await Deno.remove(file).catch(() => {}); // none yet
  await run([
    ...[...command, "ca", "-name", "bench", "-out-crt", crt, "-out-key", key],
  ]);
  for (const side of SIDES) {
    const files = [`nebula-${side}.crt`, `nebula-${side}.key`]
      .map((name) => scratch.file(name));
    const [hostCrt = "", hostKey = ""] = files;
    for (const file of files) await Deno.remove(file).catch(() => {});
    await run([
      ...[...command, "sign", "-name", side, "-networks", networks(side)],
      ...["-ca-crt", crt, "-ca-key", key],
      ...["-out-crt", hostCrt, "-out-key", hostKey],
    ]);
  }
}

/** JSON is YAML as well. */
function configuration(lab: Sides, scratch: TestFolder, side: Side): string {
  const other = otherSide(side);
  const remote = [`${lab[other].ipv4}:${PORT}`];
  const everything = [{ port: "any", proto: "any", host: "any" }];
  return JSON.stringify({
    pki: {
      ca: scratch.file("nebula-ca.crt"),
      cert: scratch.file(`nebula-${side}.crt`),
      key: scratch.file(`nebula-${side}.key`),
    },
    static_host_map: { [INNER4[other]]: remote, [INNER6[other]]: remote },
    lighthouse: { am_lighthouse: false, hosts: [] },
    relay: { am_relay: false, use_relays: false },
    listen: {
      ...{ host: "0.0.0.0", port: PORT },
      ...{ read_buffer: BUFFER, write_buffer: BUFFER },
    },
    cipher: "aes",
    tun: { dev: DEVICE[side], mtu: INNER_MTU },
    logging: { level: "warning" },
    firewall: { inbound: everything, outbound: everything },
  });
}

/** nebula at both ends. */
export function nebula(peers: PeerPrograms): Subject {
  const command = peers.command("nebula");
  return {
    id: "nebula",
    label: "nebula",
    settings:
      "AES-256-GCM, socket buffers of 10 MiB, no lighthouse and no relay",
    presence: () => peers.presence(["nebula", "nebula-cert"], "-version"),
    async open(lab, scratch) {
      await certify(peers.command("nebula-cert"), scratch);
      const argv = async (side: Side) => {
        const file = scratch.file(`nebula-${side}.yml`);
        await Deno.writeTextFile(file, configuration(lab, scratch, side));
        return [...command, "-config", file];
      };
      const [left, right] = [await argv("left"), await argv("right")];
      return await Tunnel.open(lab, { argv: { left, right } });
    },
  };
}
