import assert from "node:assert/strict";
import type { SystemdHost } from "../../../lab/systemd_host.ts";
import { carry, CONFIG, mainPid, write } from "./tunnel.ts";

/** A mistake is found, and named where an administrator looks. */
export async function configure(host: SystemdHost): Promise<void> {
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

export async function start(host: SystemdHost): Promise<void> {
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

/** The file is read again; one with a mistake changes nothing. */
export async function reload(host: SystemdHost): Promise<void> {
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
    /Status: "running; (?:fit|starting: .*); the last reload was refused: .*often/,
  );
  assert.equal(await host.sh("systemctl is-active anytun@walk"), "active");
  await write(host, CONFIG);
}

/** Keys of both ends, routes and levels change, and no packet is lost. */
export async function changeUnderLoad(host: SystemdHost): Promise<void> {
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
export async function comeBack(host: SystemdHost): Promise<void> {
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
