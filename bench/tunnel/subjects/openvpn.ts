/**
 * OpenVPN in user space, with TLS and the fastest cipher that it negotiates.
 *
 * @module
 */

import { certificateFile } from "../../../lab/certificates.ts";
import type { Sides } from "../../../lab/lab.ts";
import type { PeerPrograms } from "../peers.ts";
import type { Subject } from "../subject.ts";
import { DEVICE, INNER_MTU, otherSide, type Side, Tunnel } from "../tunnel.ts";

const CIPHER = "AES-128-GCM";

/** Who each side is, of those with a certificate. */
const NAMES = { left: "alice", right: "bob" } as const;

function options(lab: Sides, side: Side): string[] {
  const remote = lab[otherSide(side)].ipv4;
  const role = side === "left"
    ? ["--tls-server", "--dh", "none"]
    : ["--tls-client"];
  return [
    ...["--proto", "udp4", "--port", "1194", "--remote", remote],
    ...["--dev", DEVICE[side], "--dev-type", "tun"],
    ...["--tun-mtu", String(INNER_MTU), "--verb", "1"],
    // the window in packets, and how many seconds a packet may be late
    ...["--replay-window", "1024", "15"],
    ...role,
    ...["--ca", certificateFile("ca.pem")],
    ...["--cert", certificateFile(`${NAMES[side]}.pem`)],
    ...["--key", certificateFile(`${NAMES[side]}.key`)],
    // Nothing else is on offer, so that it is this or no tunnel.
    ...["--data-ciphers", CIPHER, "--data-ciphers-fallback", CIPHER],
    // With it the kernel carries the packets, where it has the module.
    "--disable-dco",
  ];
}

/** OpenVPN at both ends; 2.6 is the first that knows of DCO. */
export function openvpn(peers: PeerPrograms): Subject {
  const command = peers.command("openvpn");
  return {
    id: "openvpn",
    label: "OpenVPN",
    settings: `TLS, ${CIPHER}, in user space (without DCO)`,
    presence: () => peers.presence(["openvpn"], "--version"),
    open: (lab) =>
      Tunnel.open(lab, {
        argv: {
          left: [...command, ...options(lab, "left")],
          right: [...command, ...options(lab, "right")],
        },
      }),
  };
}
