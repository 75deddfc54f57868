/**
 * OpenVPN with a static key: like SATP it knows no handshake, and
 * AES-128-CBC with HMAC-SHA1 is what it has nearest to the SATP default.
 *
 * @module
 */

import { type Lab, OUTER, type Side } from "../lab.ts";
import { firstLine, installed, type Subject } from "../subject.ts";
import { DEVICE, INNER_MTU, Tunnel } from "../tunnel.ts";

/** OpenVPN 2.7 and newer want to be told that static keys are meant. */
function staticKeyConsent(version: string): string[] {
  const [, major, minor] = /^OpenVPN (\d+)\.(\d+)/.exec(version) ?? [];
  const asks = Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 7);
  return asks ? ["--allow-deprecated-insecure-static-crypto"] : [];
}

function argv(
  side: Side,
  keyFile: string,
  version: string,
): readonly string[] {
  const remote = OUTER[side === "left" ? "right" : "left"];
  return [
    ...["openvpn", "--proto", "udp4", "--port", "1194", "--remote", remote],
    ...["--dev", DEVICE[side], "--dev-type", "tun"],
    ...["--tun-mtu", String(INNER_MTU), "--verb", "1"],
    ...["--secret", keyFile, "--cipher", "AES-128-CBC", "--auth", "SHA1"],
    // the window in packets, and how many seconds a packet may be late
    ...["--replay-window", "1024", "15"],
    ...staticKeyConsent(version),
  ];
}

async function open(lab: Lab): Promise<Tunnel> {
  const keyFile = `${lab.scratch}/openvpn.key`;
  await lab.exec("left", ["openvpn", "--genkey", "secret", keyFile]);
  const version = await lab.exec("left", ["openvpn", "--version"]);
  return await Tunnel.open(lab, {
    argv: {
      left: argv("left", keyFile, version),
      right: argv("right", keyFile, version),
    },
  });
}

/** OpenVPN in static key mode. */
export function openvpn(): Subject {
  return {
    id: "openvpn",
    label: "OpenVPN",
    async presence() {
      const presence = await installed(["openvpn"], "--version");
      if ("missing" in presence) return presence;
      const words = firstLine(presence.version).split(" ", 2);
      return { version: words.join(" ") };
    },
    open,
  };
}
