import {
  LEFT,
  passphrase,
  PORT,
  RIGHT,
  waitingLeft,
} from "../interop/settings.ts";
import { Hosts, type LabHost } from "../../lab/host.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { oursNative } from "../../lab/peers.ts";

const missing = [whyNoLab(), missingCommand("ping"), oursNative.missing()]
  .find((why) => why !== null);

/** One with a router in between, which says nothing of what does not fit. */
async function connect(
  left: LabHost,
  router: LabHost,
  right: LabHost,
): Promise<void> {
  await left.join("wire", router, "left");
  await right.join("wire", router, "right");
  await left.address("wire", "198.51.100.1/25");
  await router.address("left", "198.51.100.2/25");
  await router.address("right", "198.51.100.130/25");
  await right.address("wire", "198.51.100.129/25");
  await left.ip("route", "add", "default", "via", "198.51.100.2");
  await right.ip("route", "add", "default", "via", "198.51.100.130");
  await router.exec("sysctl", "-qw", "net.ipv4.ip_forward=1");
  await router.ip("link", "set", "right", "mtu", "1280");
  await right.ip("link", "set", "wire", "mtu", "1280");
  const drop = ["ipproto", "icmp", "blackhole"];
  await router.ip("rule", "add", "pref", "1", ...drop);
}

Deno.test({
  name: "packets of full size pass where the path has less room and says " +
    "nothing" + (missing ? ` (skipped: ${missing})` : ""),
  ignore: missing !== undefined,
  async fn() {
    const names = ["a", "r", "b"].map((end) => `mtu-${Deno.pid}${end}`);
    await using hosts = await Hosts.make(names);
    const [left, router, right] = [hosts.at(0), hosts.at(1), hosts.at(2)];
    await hosts.connect(() => connect(left, router, right));
    await oursNative.start(left, waitingLeft);
    await oursNative.start(right, {
      ...waitingLeft,
      ...{ role: "right", addresses: [`${RIGHT}/24`] },
      remote: { host: "198.51.100.1", port: PORT },
      options: passphrase,
    });
    await right.ping(LEFT);
    // 28 bytes of headers: as large as the device takes.
    const full = ["-c", "3", "-W", "2", "-M", "do", "-s", "1372"];
    await left.exec("ping", ...full, RIGHT);
  },
});
