/**
 * wireguard-go, the WireGuard that runs in user space as this program does.
 *
 * @module
 */

import type { TestFolder } from "../../../lab/daemons.ts";
import type { Sides } from "../../../lab/lab.ts";
import { run } from "../../../lab/process.ts";
import type { PeerPrograms } from "../peers.ts";
import type { Open, Subject } from "../subject.ts";
import {
  DEVICE,
  INNER4,
  INNER6,
  otherSide,
  type Side,
  Tunnel,
} from "../tunnel.ts";
import { delay } from "../../../src/net/delay.ts";

const PORT = 51820;

/** Milliseconds between two looks for the control socket. */
const POLL_MS = 2;

/** What one end has to know. */
interface Keys {
  readonly privateKeyFile: string;
  readonly publicKey: string;
}

async function makeKeys(
  wg: readonly string[],
  scratch: TestFolder,
  side: Side,
): Promise<Keys> {
  const privateKey = await run([...wg, "genkey"]);
  const privateKeyFile = scratch.file(`wireguard-${side}.key`);
  await Deno.writeTextFile(privateKeyFile, privateKey, { mode: 0o600 });
  const publicKey = await run([...wg, "pubkey"], { input: privateKey });
  return { privateKeyFile, publicKey: publicKey.trim() };
}

/** The device is there a moment before the socket that `wg` talks to. */
async function controlSocket(side: Side): Promise<void> {
  const path = `/var/run/wireguard/${DEVICE[side]}.sock`;
  for (let waited = 0; waited < 2000; waited += POLL_MS) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isSocket) return;
    await delay(POLL_MS);
  }
  throw new Error(`Cannot configure wireguard-go: ${path} does not exist`);
}

async function open(
  peers: PeerPrograms,
  through: readonly string[],
  lab: Sides,
  scratch: TestFolder,
): Promise<Tunnel> {
  const wg = peers.command("wg");
  const wireguardGo = peers.command("wireguard-go");
  const keys = {
    left: await makeKeys(wg, scratch, "left"),
    right: await makeKeys(wg, scratch, "right"),
  };
  const argv = (side: Side) => [
    ...[...through, ...wireguardGo, "-f", DEVICE[side]],
  ];
  return await Tunnel.open(lab, {
    argv: { left: argv("left"), right: argv("right") },
    async configure(side) {
      const other = otherSide(side);
      await controlSocket(side);
      await lab[side].run([
        ...[...wg, "set", DEVICE[side], "listen-port", String(PORT)],
        ...["private-key", keys[side].privateKeyFile],
        ...["peer", keys[other].publicKey],
        ...["endpoint", `${lab[other].ipv4}:${PORT}`],
        ...["allowed-ips", `${INNER4[other]}/32,${INNER6[other]}/128`],
      ]);
    },
  });
}

/** Starts it at both ends, by a command that runs it if there is one. */
export function openWireguard(
  peers: PeerPrograms,
  through: readonly string[] = [],
): Open {
  return (lab, scratch) => open(peers, through, lab, scratch);
}

/** wireguard-go at both ends. */
export function wireguard(peers: PeerPrograms): Subject {
  return {
    id: "wireguard-go",
    label: "wireguard-go",
    settings: "ChaCha20-Poly1305",
    presence: () => peers.presence(["wireguard-go", "wg"], "--version"),
    open: openWireguard(peers),
  };
}
