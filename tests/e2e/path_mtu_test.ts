import assert from "node:assert/strict";
import {
  LEFT,
  passphrase,
  PORT,
  RIGHT,
  waitingLeft,
} from "../interop/settings.ts";
import { Hosts, type LabHost } from "../../lab/host.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { DEVICE, oursNative } from "../../lab/peers.ts";
import { until } from "../../lab/until.ts";
import { testUnless } from "../../lab/test_unless.ts";

const missing = [whyNoLab(), missingCommand("ping"), oursNative.missing()]
  .find((why) => why !== null);

const TCP_PORT = 5001;

const LEFT_IPV6 = "fd99::1";
const RIGHT_IPV6 = "fd99::2";

/** Of the way between the router and the right host, in bytes. */
const NARROW = 1280;

/** Bytes of a path's packet that are none of the packet inside. */
const OVERHEAD = { 4: 20 + 8 + 8 + 2 + 10, 6: 40 + 8 + 8 + 2 + 10 } as const;

/** TCP's own options in each segment: time stamps. */
const STAMP_BYTES = 12;

const LEFT_ENDS = { 4: "198.51.100.1", 6: "2001:db8:1::1" } as const;

/** One with a router in between, whose way to the right host is narrow. */
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
  await left.address("wire", "2001:db8:1::1/64");
  await router.address("left", "2001:db8:1::2/64");
  await router.address("right", "2001:db8:2::2/64");
  await right.address("wire", "2001:db8:2::1/64");
  await left.ip("route", "add", "default", "via", "198.51.100.2");
  await right.ip("route", "add", "default", "via", "198.51.100.130");
  await left.ip("route", "add", "default", "via", "2001:db8:1::2");
  await right.ip("route", "add", "default", "via", "2001:db8:2::2");
  await forward(router);
  await router.ip("link", "set", "right", "mtu", `${NARROW}`);
  await right.ip("link", "set", "wire", "mtu", `${NARROW}`);
}

async function forward(router: LabHost): Promise<void> {
  await router.exec("sysctl", "-qw", "net.ipv4.ip_forward=1");
  await router.exec("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
}

async function silence(router: LabHost): Promise<void> {
  const drop = ["ipproto", "icmp", "blackhole"];
  await router.ip("rule", "add", "pref", "1", ...drop);
}

/** A host whose packets the left one forwards into the tunnel. */
async function joinBehind(left: LabHost, host: LabHost): Promise<void> {
  await host.join("wire", left, "inside");
  await left.address("inside", "10.98.0.1/24");
  await host.address("wire", "10.98.0.2/24");
  await left.address("inside", "fd98::1/64");
  await host.address("wire", "fd98::2/64");
  await host.ip("route", "add", "default", "via", "10.98.0.1");
  await host.ip("route", "add", "default", "via", "fd98::1");
  await forward(left);
}

async function startPeers(
  left: LabHost,
  right: LabHost,
  outer: 4 | 6,
  ...more: string[]
): Promise<void> {
  const options = [...passphrase, ...more];
  await oursNative.start(left, {
    ...{ ...waitingLeft, options },
    addresses: [`${LEFT}/24`, `${LEFT_IPV6}/64`],
  });
  await oursNative.start(right, {
    ...{ ...waitingLeft, options, role: "right" },
    addresses: [`${RIGHT}/24`, `${RIGHT_IPV6}/64`],
    remote: { host: LEFT_ENDS[outer], port: PORT },
  });
  await right.ip("route", "add", "10.98.0.0/24", "dev", DEVICE);
  await right.ip("route", "add", "fd98::/64", "dev", DEVICE);
  await right.ping(LEFT);
  await right.ping(LEFT_IPV6);
}

/** What a TCP connection sends at the most in a segment, in bytes. */
async function segmentBytes(from: LabHost, to: string): Promise<number> {
  const copy = ["send", to, `${TCP_PORT}`, "1000000000000", "Infinity"];
  await using _client = from.script("traffic.ts", ...copy);
  let bytes = 0;
  await until("a connection is there", 60, async () => {
    const filter = ["state", "established", `dport = :${TCP_PORT}`];
    const about = await from.exec("ss", "-Htin", ...filter);
    bytes = Number(/\bmss:(\d+)/.exec(about)?.[1] ?? 0);
    return bytes > 0;
  });
  return bytes;
}

/** Sends packets of a size that may not be cut, until the host knows better. */
async function learn(from: LabHost, to: string, bytes: number): Promise<void> {
  const headers = to.includes(":") ? 48 : 28;
  const full = ["-c", "1", "-W", "1", "-M", "do", "-s", `${1400 - headers}`];
  const end = performance.now() + 30_000;
  for (;;) {
    await from.exec("ping", ...full, to).catch(() => {});
    const route = await from.ip("route", "get", to);
    if (new RegExp(`mtu ${bytes}\\b`).test(route)) return;
    if (performance.now() > end) throw new Error(`Cannot learn it: ${route}`);
  }
}

testUnless(
  [missing ?? null],
  "packets of full size pass where the path has less room and says " +
    "nothing",
  async () => {
    const names = ["a", "r", "b"].map((end) => `mtu-${Deno.pid}${end}`);
    await using hosts = await Hosts.make(names);
    const [left, router, right] = [hosts.at(0), hosts.at(1), hosts.at(2)];
    await hosts.connect(() => connect(left, router, right));
    await silence(router);
    await startPeers(left, right, 4);
    // 28 bytes of headers: as large as the device takes.
    const full = ["-c", "3", "-W", "2", "-M", "do", "-s", "1372"];
    await left.exec("ping", ...full, RIGHT);
  },
);

for (const outer of [4, 6] as const) {
  const why = missing ?? missingCommand("ss");
  testUnless(
    [why ?? null],
    `over IPv${outer} TCP fits the path, and who sends longer packets ` +
      `is told, also behind the tunnel`,
    async () => {
      const names = ["a", "r", "b", "c"]
        .map((end) => `path${outer}-${Deno.pid}${end}`);
      await using hosts = await Hosts.make(names);
      const [left, router, right] = [hosts.at(0), hosts.at(1), hosts.at(2)];
      const behind = hosts.at(3);
      await hosts.connect(async () => {
        await connect(left, router, right);
        await joinBehind(left, behind);
      });
      await startPeers(left, right, outer, "--mtu-disc", "maybe");
      const fits = NARROW - OVERHEAD[outer];

      // The right host knows how narrow its own way is, and tells by its SYN.
      const server = right.script("traffic.ts", "serve", `${TCP_PORT}`);
      await server.line(/serving/);
      for (const [to, headers] of [[RIGHT, 40], [RIGHT_IPV6, 60]] as const) {
        const most = fits - headers - STAMP_BYTES;
        assert.equal(await segmentBytes(behind, to), most);
      }

      // The left one learns it from the router.
      await learn(behind, RIGHT, fits);
      await learn(behind, RIGHT_IPV6, Math.max(fits, 1280));
      const exact = ["-c", "1", "-W", "5", "-M", "do", "-s"];
      await behind.exec("ping", ...exact, `${fits - 28}`, RIGHT);
      // No host makes packets of IPv6 shorter: the datagram is cut.
      await behind.exec("ping", ...exact, `${1280 - 48}`, RIGHT_IPV6);
      // What may be cut passes, too.
      const any = ["-c", "1", "-W", "5", "-M", "dont", "-s", "1372"];
      await left.exec("ping", ...any, RIGHT);
    },
  );
}
