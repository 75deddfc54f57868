import assert from "node:assert/strict";
import { certificateFile } from "../../lab/certificates.ts";
import { whyNoLab } from "../../lab/missing.ts";
import { asBinary } from "../../lab/programs.ts";
import { SystemdHost } from "../../lab/systemd_host.ts";
import { buildPackage } from "../../tasks/deb.ts";
import { testUnless } from "../../lab/test_unless.ts";

/** A system with systemd, as debootstrap(8) makes; see CONTRIBUTING.md. */
const ROOT = Deno.env.get("ANYTUN_ROOT");

const reason = [
  ROOT === undefined ? "ANYTUN_ROOT names no system to install in" : null,
  asBinary.missing,
  whyNoLab(),
].find((why) => why !== null);

const PATIENCE = { seconds: 120 };

/** The peer, in a namespace of the system, without systemd. */
const PEER = `
ip netns add peer
ip link add near type veth peer name far netns peer
ip address add 192.0.2.1/30 dev near
ip link set near up
ip -n peer address add 192.0.2.2/30 dev far
ip -n peer link set far up
ip -n peer link set lo up
umask 077
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n' >/run/key
head -c 14 /dev/urandom | od -An -tx1 | tr -d ' \\n' >/run/salt
mkdir -p /etc/credstore
cp /run/key /etc/credstore/anytun.walk.key
cp /run/salt /etc/credstore/anytun.walk.salt
systemd-run --quiet --unit peer ip netns exec peer /run/peer -D -e right \\
  --key-file /run/key --salt-file /run/salt -r 192.0.2.1 -n 10.99.0.2/30 \\
  -w 64 --state-dir none
`;

const CONFIG = `role: left
remote-host: 192.0.2.2
remote-port: 4444
ifconfig: 10.99.0.1/30
window-size: 64
`;

testUnless(
  [reason ?? null],
  "a tunnel lives from installation over mistakes to purge",
  async () => {
    const [binary = ""] = asBinary.command;
    const folder = await Deno.makeTempDir();
    try {
      const settings = { binary, out: folder, epoch: 1_600_000_000, level: 0 };
      const path = await buildPackage(settings);
      await using host = await SystemdHost.open(ROOT ?? "/");
      await host.put(path, "/run/anytun-deno.deb");
      await host.put(binary, "/run/peer");
      await host.sh("chmod 755 /run/peer");
      await walk(host);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

async function walk(host: SystemdHost): Promise<void> {
  const install = () => host.sh("dpkg -i /run/anytun-deno.deb 2>&1", PATIENCE);
  await install();
  assert.equal(await host.sh("systemctl is-active anytun"), "active");
  await host.sh(PEER);
  await configure(host);
  await start(host);
  await carry(host);
  await reload(host);
  await changeUnderLoad(host);
  await comeBack(host);
  await announce(host);
  await waitForAStore(host);
  const before = await mainPid(host);
  await install();
  assert.notEqual(await mainPid(host), before, "an upgrade restarts it");
  await carry(host);
  await useInitScript(host);
  await useDebiansFiles(host);
  await serveClients(host);
  await goAndComeBack(host, install);
  await host.sh("dpkg --remove anytun-deno 2>&1", PATIENCE);
  assert.equal(await host.sh("ip -o link show type tun"), "");
  await host.sh("test -s /etc/anytun/walk.yaml");
  await host.sh(
    "rm -r /etc/anytun/*.yaml /etc/anytun/*/ /etc/anytun/autostart",
  );
  await host.sh("dpkg --purge anytun-deno 2>&1");
  await host.sh("test ! -e /var/lib/anytun && test ! -e /etc/anytun");
}

function write(host: SystemdHost, text: string): Promise<string> {
  return host.sh(`
    umask 077
    cat >/etc/anytun/walk.yaml <<'END'\n${text}END
    chgrp anytun /etc/anytun/walk.yaml
    chmod 640 /etc/anytun/walk.yaml
  `);
}

/** A mistake is found, and named where an administrator looks. */
async function configure(host: SystemdHost): Promise<void> {
  await write(host, CONFIG.replace("remote-port", "remote-prt"));
  assert.equal((await host.outcomeOf(["anytun", "check", "walk"])).code, 255);
  const start = ["systemctl", "start", "anytun@walk"];
  assert.notEqual((await host.outcomeOf(start)).code, 0);
  const log = await host.sh("journalctl --unit anytun@walk --output cat");
  assert.match(log, /walk\.yaml:3:\d+: .*remote-prt.*remote-port/);
  await host.sh("systemctl stop anytun@walk");
  // That the daemons can read it makes it no file for everybody.
  await write(host, `${CONFIG}passphrase: secret\n`);
  await host.sh("anytun check walk");
  await host.sh("chgrp nogroup /etc/anytun/walk.yaml");
  assert.equal((await host.outcomeOf(["anytun", "check", "walk"])).code, 255);
}

async function start(host: SystemdHost): Promise<void> {
  await write(host, CONFIG);
  await host.sh("systemctl start anytun@walk");
  const status = await host.sh(`cat /proc/${await mainPid(host)}/status`);
  assert.doesNotMatch(status, /^Uid:.*\b0\b/m);
  // CAP_NET_ADMIN, and no way to anything else.
  for (const set of ["Prm", "Eff", "Bnd"]) {
    assert.match(status, new RegExp(`^Cap${set}:\\s+0000000000001000$`, "m"));
  }
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  assert.match(await host.sh("anytun status walk"), /192\.0\.2\.2/);
  for (const unit of ["anytun", "anytun@walk"]) {
    const said = await host.sh(`systemd-analyze security --no-pager ${unit}`);
    const [, exposure] = /level for .*: ([\d.]+) /.exec(said) ?? [];
    assert.ok(Number(exposure) <= 2, `${unit}: ${exposure}`);
  }
}

async function carry(host: SystemdHost): Promise<void> {
  await host.sh(
    "for try in 1 2 3 4 5 6 7 8 9 10; do " +
      "ping -q -c 1 -W 1 10.99.0.2 && exit; done; exit 1",
  );
}

/** The file is read again; one with a mistake changes nothing. */
async function reload(host: SystemdHost): Promise<void> {
  const before = await mainPid(host);
  await write(host, `${CONFIG}keepalive: 7\n`);
  await host.sh("systemctl reload anytun@walk");
  await write(host, `${CONFIG}keepalive: often\n`);
  await host.outcomeOf(["systemctl", "reload", "anytun@walk"]);
  await carry(host);
  assert.equal(await mainPid(host), before);
  const log = await host.sh("journalctl --unit anytun@walk --output cat");
  assert.match(log, /keepalive.*often/);
  const status = await host.sh("systemctl status anytun@walk");
  assert.match(
    status,
    /Status: "running; the last reload was refused: .*often/,
  );
  assert.equal(await host.sh("systemctl is-active anytun@walk"), "active");
  await write(host, CONFIG);
}

/** Keys of both ends, routes and levels change, and no packet is lost. */
async function changeUnderLoad(host: SystemdHost): Promise<void> {
  const files = `${CONFIG}key-file: /etc/anytun/walk.key
salt-file: /etc/anytun/walk.salt
`;
  await host.sh(`
    cp /run/key /etc/anytun/walk.key
    cp /run/salt /etc/anytun/walk.salt
    chown anytun /etc/anytun/walk.key /etc/anytun/walk.salt
  `);
  const reload = () => host.sh("systemctl reload anytun@walk");
  await write(host, files);
  await reload();
  const pinging = host.sh("ping -q -c 3000 -i 0.002 10.99.0.2");
  await host.sh(`
    rm /run/key /run/salt
    anytun genkey --key-file /run/key --salt-file /run/salt
    cat /run/key >/etc/anytun/walk.key
    cat /run/salt >/etc/anytun/walk.salt
    systemctl kill --signal HUP peer
  `);
  await reload();
  await write(host, `${files}route: 10.9.0.0/16\nlog: stderr:5\n`);
  await reload();
  assert.match(await pinging, /3000 received, 0% packet loss/);
  const log = await host.sh("journalctl --unit anytun@walk --output cat");
  assert.match(log, /^NOTICE: connection 0 has new keys/m);
  // The credentials of the next start.
  await host.sh(`
    cp /run/key /etc/credstore/anytun.walk.key
    cp /run/salt /etc/credstore/anytun.walk.salt
    rm /etc/anytun/walk.key /etc/anytun/walk.salt
  `);
  await write(host, CONFIG);
}

/** What hangs is ended by the watchdog, and started again. */
async function comeBack(host: SystemdHost): Promise<void> {
  await host.sh(`
    mkdir -p /run/systemd/system/anytun@walk.service.d
    printf '[Service]\\nWatchdogSec=3\\nTimeoutAbortSec=1\\nRestartSec=1\\n' \\
      >/run/systemd/system/anytun@walk.service.d/watchdog.conf
    systemctl daemon-reload
    systemctl restart anytun@walk
  `);
  const before = await mainPid(host);
  await host.sh(`kill -STOP ${before}`);
  await host.sh(`
    until pid=$(systemctl show --property MainPID --value anytun@walk) &&
      [ "$pid" != ${before} ] && [ "$pid" != 0 ] &&
      systemctl is-active --quiet anytun@walk
    do sleep 0.2; done
    rm -r /run/systemd/system/anytun@walk.service.d
    systemctl daemon-reload
  `);
  await carry(host);
}

/** An address that others reach it by comes and goes with its health. */
async function announce(host: SystemdHost): Promise<void> {
  await write(
    host,
    `${CONFIG}anycast-address: 198.51.100.1/32
anycast-device: anycast0
drain-time: 5
`,
  );
  const until = (isThere: boolean) =>
    host.sh(`
      until ${isThere ? "" : "!"} ip -o address show to 198.51.100.1 |
        grep -q anycast0
      do sleep 0.05; done
    `);
  // The time that the end takes is told, or it would be killed.
  await host.sh(`
    mkdir -p /run/systemd/system/anytun@walk.service.d
    printf '[Service]\\nTimeoutStopSec=2\\nRestartSec=2\\n' \\
      >/run/systemd/system/anytun@walk.service.d/stop.conf
    systemctl daemon-reload
    # Made beforehand, it outlives the daemon.
    ip tuntap add dev anycast0 mode tap
    systemctl restart anytun@walk
  `);
  await until(true);
  assert.match(
    await host.sh("systemctl status anytun@walk"),
    /Status: "running; fit"/,
  );
  assert.match(
    await host.sh("anytun status walk"),
    /anycast: 198\.51\.100\.1\/32 on anycast0 announced$/m,
  );
  const guard = await host.sh("cat /proc/$(pgrep -x anytun-guard)/status");
  assert.match(guard, /^CapEff:\s+0000000000001000$/m);
  assert.match(guard, /^Seccomp:\s+2$/m);
  for (const whom of ["main", "all"]) {
    await host.sh(
      `systemctl kill --signal KILL --kill-who ${whom} anytun@walk`,
    );
    await until(false);
    await until(true);
  }
  // With its guard killed as well the unit does so, before the next start would.
  const journal = await host.sh("journalctl --unit anytun@walk --output cat");
  assert.match(journal, /^198\.51\.100\.1\/32 is taken away from anycast0$/m);
  assert.doesNotMatch(journal, /was on anycast0 already/);
  const before = await mainPid(host);
  await host.sh("systemctl reload anytun@walk && anytun health walk");
  assert.equal(await mainPid(host), before);
  await until(true);
  const peer = "ip netns exec peer timeout 30 ping -q -i 0.2 10.99.0.1";
  const pinging = host.outcomeOf(["sh", "-c", peer]);
  await host.sh("systemctl stop --no-block anytun@walk");
  await until(false);
  await carry(host);
  const state = "systemctl show --property ActiveState --value anytun@walk";
  assert.equal(await host.sh(state), "deactivating");
  await host.sh(`while [ "$(${state})" = deactivating ]; do sleep 0.1; done`);
  assert.equal(await host.sh(state), "inactive");
  await host.sh("pkill -x ping");
  await pinging;
  const log = await host.sh("journalctl --unit anytun@walk --output cat");
  assert.match(log, /drained for 5 s/);
  assert.doesNotMatch(log, /guard .* has (ended|failed)|permitted|timed out/);
  await host.sh(`
    rm -r /run/systemd/system/anytun@walk.service.d
    systemctl daemon-reload
  `);
  await write(host, CONFIG);
  await host.sh("systemctl start anytun@walk");
  await carry(host);
}

/** A control daemon whose store is away, and who has secrets of root's. */
async function waitForAStore(host: SystemdHost): Promise<void> {
  for (const name of ["alice.pem", "alice.key", "ca.pem"]) {
    await host.put(certificateFile(name), `/run/${name}`);
  }
  await host.sh(`
    umask 077
    cp /run/alice.key /etc/credstore/anytun.fleet.source-key
    echo secret >/etc/credstore/anytun.fleet.source-password
    mkdir -m 755 /etc/anytun/fleet.tls
    install -m 644 /run/alice.pem /run/ca.pem /etc/anytun/fleet.tls
    given=/run/credentials/anytun-controld@fleet.service
    cat >/etc/anytun/fleet.yaml <<END
source: https://127.0.0.1:9/anytun
source-ca: /etc/anytun/fleet.tls/ca.pem
source-cert: /etc/anytun/fleet.tls/alice.pem
source-key: $given/source-key
source-user: controld
source-password-file: $given/source-password
control-host: unix:/run/anytun-controld/fleet.sock
END
    chgrp anytun /etc/anytun/fleet.yaml
    chmod 640 /etc/anytun/fleet.yaml
    systemctl start anytun-controld@fleet
    systemctl reload anytun-controld@fleet
  `);
  assert.match(
    await host.sh("systemctl status anytun-controld@fleet"),
    /Status: "running; waiting for the clients of https:\/\/127\.0\.0\.1/,
  );
  const unit = "--unit anytun-controld@fleet --output cat";
  const log = await host.sh(`journalctl ${unit}`);
  assert.match(log, /no server is let in until/);
  assert.doesNotMatch(log, /ERROR|Cannot use|others have access/);
  await host.sh(`
    systemctl stop anytun-controld@fleet
    rm -r /etc/anytun/fleet.tls /etc/anytun/fleet.yaml
  `);
}

/** Whatever starts and stops it, there is one. */
async function useInitScript(host: SystemdHost): Promise<void> {
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
async function useDebiansFiles(host: SystemdHost): Promise<void> {
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
async function serveClients(host: SystemdHost): Promise<void> {
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
async function goAndComeBack(
  host: SystemdHost,
  install: () => Promise<string>,
): Promise<void> {
  await host.sh("echo walk >/etc/anytun/autostart");
  await host.sh("dpkg --remove anytun-deno 2>&1", PATIENCE);
  await install();
  await host.sh("until systemctl is-active anytun@walk; do sleep 0.1; done");
  await carry(host);
}

function mainPid(host: SystemdHost): Promise<string> {
  return host.sh("systemctl show --property MainPID --value anytun@walk");
}
