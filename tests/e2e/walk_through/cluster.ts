import assert from "node:assert/strict";
import { certificateFile } from "../../../lab/certificates.ts";
import type { SystemdHost } from "../../../lab/systemd_host.ts";
import { carry, CONFIG, mainPid, write } from "./tunnel.ts";

/** An address that others reach it by comes and goes with its health. */
export async function announce(host: SystemdHost): Promise<void> {
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
    /Status: "running; fit[:"]/,
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
  // As for want of memory: the guard has no turn, and the unit does its duty. By
  // systemctl the kernel may kill what is started afterwards, too.
  await host.sh(`
    group=$(systemctl show --property ControlGroup --value anytun@walk)
    for signal in STOP KILL; do
      kill -$signal $(cat /sys/fs/cgroup$group/cgroup.procs)
    done
  `);
  await until(false);
  await until(true);
  const journal = await host.sh("journalctl --unit anytun@walk --output cat");
  const taken = /^anytun-withdraw: 198\.51\.100\.1\/32 is taken away from any/m;
  assert.match(journal, taken);
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
    ip link delete anycast0
    rm -r /run/systemd/system/anytun@walk.service.d
    systemctl daemon-reload
  `);
  await write(host, CONFIG);
  await host.sh("systemctl start anytun@walk");
  await carry(host);
}

/** A control daemon whose store is away, and who has secrets of root's. */
export async function waitForAStore(host: SystemdHost): Promise<void> {
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
