import assert from "node:assert/strict";
import type { SystemdHost } from "../../../lab/systemd_host.ts";
import { carry, mainPid, PATIENCE } from "./tunnel.ts";

/** Whatever starts and stops it, there is one. */
export async function useInitScript(host: SystemdHost): Promise<void> {
  await host.sh("echo 'walk # ours' >/etc/anytun/autostart");
  await host.sh("systemctl daemon-reload && systemctl stop anytun");
  const state = ["systemctl", "is-active", "anytun@walk"];
  assert.match((await host.outcomeOf(state)).stdout, /^inactive/);
  await host.sh("invoke-rc.d anytun start");
  await host.sh("/etc/init.d/anytun start");
  const untilActive =
    "until systemctl is-active anytun@walk; do sleep 0.1; done";
  await host.sh(untilActive);
  await carry(host);
  const before = await mainPid(host);
  await host.sh("/etc/init.d/anytun restart");
  await host.sh(untilActive);
  assert.notEqual(await mainPid(host), before);
  assert.equal(await host.sh("pgrep -c -x anytun"), "1");
  await host.sh("/etc/init.d/anytun reload");
}

/** The layout of Debian's package, with a folder for each tunnel. */
export async function useDebiansFiles(host: SystemdHost): Promise<void> {
  await host.sh(`
    systemctl stop anytun
    mkdir -p /etc/anytun/old
    cat >/etc/anytun/old/config <<END
role left
remote-host 192.0.2.2
ifconfig 10.99.0.1/30
key $(cat /run/key)
salt $(cat /run/salt)
END
    printf '#!/bin/sh\\nip address add 10.98.0.1/32 dev $1\\n' \\
      >/etc/anytun/old/post-up.sh
    echo 'echo 1 >/proc/sys/net/ipv4/conf/$1/forwarding' \\
      >>/etc/anytun/old/post-up.sh
    chmod 755 /etc/anytun/old/post-up.sh
    chgrp anytun /etc/anytun/old/config
    chmod 640 /etc/anytun/old/config
    systemctl start anytun@old
  `);
  await carry(host);
  await host.sh(`
    until ip address show to 10.98.0.1/32 | grep -q . &&
      grep -qx 1 /proc/sys/net/ipv4/conf/tun*/forwarding
    do sleep 0.1; done
    systemctl stop anytun@old
    echo old >/etc/anytun/autostart
    . /etc/default/anytun
    DAEMONOPTS=$DAEMONOPTS /usr/lib/anytun-launcher vpn old
    test -s /run/anytun/old.pid
  `);
  await carry(host);
  await host.sh("kill $(cat /run/anytun/old.pid)");
  await host.sh("while pgrep -x anytun; do sleep 0.1; done");
}

/** A server of Debian's layout: its clients come from a daemon beside it. */
export async function serveClients(host: SystemdHost): Promise<void> {
  await host.sh(`
    mkdir -p /etc/anytun/server/conf.d
    printf 'control-host 127.0.0.1:4444\nifconfig 10.99.0.1/30\n' \
      >/etc/anytun/server/config
    cat >/etc/anytun/server/conf.d/client <<END
role left
mux 0
route 10.99.0.2/32
key $(cat /run/key)
salt $(cat /run/salt)
END
    chgrp anytun /etc/anytun/server/conf.d/client
    chmod 640 /etc/anytun/server/conf.d/client
    systemctl daemon-reload
    systemctl start anytun@server
    until systemctl is-active anytun-controld@server; do sleep 0.1; done
  `);
  // A server hears of its client first.
  const ping = "ip netns exec peer ping -q -c 1 -W 1 10.99.0.1";
  await host.sh(`until ${ping}; do :; done`);
  const main =
    "systemctl show --property MainPID --value anytun-controld@server";
  const status = await host.sh(`cat /proc/$(${main})/status`);
  assert.match(status, /^CapBnd:\s+0+$/m);
  await host.sh("systemctl stop anytun");
  const states = await host.outcomeOf([
    ...["systemctl", "is-active", "anytun@server", "anytun-controld@server"],
  ]);
  assert.equal(states.stdout, "inactive\ninactive\n");
}

/** A removal that is taken back, such as by way of Debian's package. */
export async function goAndComeBack(
  host: SystemdHost,
  install: () => Promise<string>,
): Promise<void> {
  await host.sh("echo walk >/etc/anytun/autostart");
  await host.sh("dpkg --remove anytun-deno 2>&1", PATIENCE);
  await install();
  await host.sh("until systemctl is-active anytun@walk; do sleep 0.1; done");
  await carry(host);
}
