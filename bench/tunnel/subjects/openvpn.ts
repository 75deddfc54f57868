/**
 * OpenVPN with a static key: like SATP it knows no handshake, and
 * AES-128-CBC with HMAC-SHA1 is what it has nearest to the SATP default.
 *
 * @module
 */

import type { TestFolder } from "../../../lab/daemons.ts";
import type { Lab } from "../../../lab/lab.ts";
import { run } from "../../../lab/process.ts";
import { firstLine, installed, type Subject } from "../subject.ts";
import { DEVICE, INNER_MTU, type Side, Tunnel } from "../tunnel.ts";

/** OpenVPN 2.7 and newer want to be told that static keys are meant. */
function staticKeyConsent(version: string): string[] {
  const [, major, minor] = /^OpenVPN (\d+)\.(\d+)/.exec(version) ?? [];
  const asks = Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 7);
  return asks ? ["--allow-deprecated-insecure-static-crypto"] : [];
}

function argv(
  lab: Lab,
  side: Side,
  keyFile: string,
  version: string,
): readonly string[] {
  const remote = lab[side === "left" ? "right" : "left"].ipv4;
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

async function open(lab: Lab, scratch: TestFolder): Promise<Tunnel> {
  const keyFile = scratch.file("openvpn.key");
  await run(["openvpn", "--genkey", "secret", keyFile]);
  const version = await run(["openvpn", "--version"]);
  return await Tunnel.open(lab, {
    argv: {
      left: argv(lab, "left", keyFile, version),
      right: argv(lab, "right", keyFile, version),
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
