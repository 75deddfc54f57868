import assert from "node:assert/strict";
import { whyNoLab } from "../../lab/missing.ts";
import { asBinary } from "../../lab/programs.ts";
import { SystemdHost } from "../../lab/systemd_host.ts";
import { buildPackage } from "../../tasks/deb.ts";
import { testUnless } from "../../lab/test_unless.ts";
import {
  changeUnderLoad,
  comeBack,
  configure,
  reload,
  start,
} from "./walk_through/changes.ts";
import { announce, waitForAStore } from "./walk_through/cluster.ts";
import {
  goAndComeBack,
  serveClients,
  useDebiansFiles,
  useInitScript,
} from "./walk_through/debian.ts";
import { carry, mainPid, PATIENCE } from "./walk_through/tunnel.ts";

/** A system with systemd, as debootstrap(8) makes; see CONTRIBUTING.md. */
const ROOT = Deno.env.get("ANYTUN_ROOT");

const missing = [
  ROOT === undefined ? "ANYTUN_ROOT names no system to install in" : null,
  asBinary.missing,
  whyNoLab(),
];

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

testUnless(
  missing,
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
