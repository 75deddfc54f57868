import assert from "node:assert/strict";
import {
  LEFT,
  passphrase,
  PORT,
  speakingRight,
  waitingLeft,
} from "../interop/settings.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { missingCommand } from "../../lab/missing.ts";
import { DEVICE, oursNative, oursOnWebCrypto } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const missing = [oursNative.missing(), missingCommand("nft")];
const LEFT_IPV6 = "fd00:99::1";
/** DSCP 46, expedited forwarding, as ping and nft say it. */
const EXPEDITED = "0xb8";

/** Rules of a host about what it sends or gets, before all others. */
async function rules(
  host: LabHost,
  hook: "input" | "output",
  ...lines: string[]
): Promise<void> {
  const chain = [`type filter hook ${hook} priority mangle;`, ...lines];
  const text = `table inet ${hook}_test {
    chain tested {
      ${chain.join("\n      ")}
    }
  }
  `;
  await host.run(["nft", "-f", "-"], { input: text });
}

async function start(
  lab: Lab,
  family: "ipv4" | "ipv6",
  ...options: string[]
): Promise<{ left: LabProcess; right: LabProcess }> {
  const both = [...passphrase, ...options];
  const settings = speakingRight(lab);
  const left = await oursNative.start(lab.left, {
    ...waitingLeft,
    addresses: [`${LEFT}/24`, `${LEFT_IPV6}/64`],
    options: both,
  });
  const right = await oursNative.start(lab.right, {
    ...settings,
    addresses: [...settings.addresses, "fd00:99::2/64"],
    remote: { host: lab.left[family], port: PORT },
    options: both,
  });
  await right.line(/added connection/);
  return { left, right };
}

/** @returns Whether one of some echo requests of that class is answered */
async function answers(
  host: LabHost,
  to: string,
  trafficClass: string,
  seconds = 10,
): Promise<boolean> {
  const limits = ["-c", "1", "-i", "0.2", "-w", String(seconds)];
  const argv = ["ping", "-n", "-q", ...limits, "-Q", trafficClass, to];
  return await host.run(argv, { seconds: 30 }).then(() => true, () => false);
}

/** What a daemon says of its connection now. */
async function countsOf(daemon: LabProcess): Promise<string> {
  const seen = daemon.lines.length;
  Deno.kill(daemon.pid, "SIGUSR2");
  return await daemon.line(/connection 0: /, undefined, seen);
}

for (const [family, ip] of [["ipv4", "ip"], ["ipv6", "ip6"]] as const) {
  labTest(
    `datagrams over ${family} have the DSCP of --dscp, copied or fixed`,
    `tc-d${family}`,
    missing,
    async (lab) => {
      const { left, right } = lab;
      await rules(left, "input", `udp dport ${PORT} ${ip} dscp != ef drop`);
      const copying = await start(lab, family, "--dscp", "copy");
      assert.equal(await answers(right, LEFT, EXPEDITED), true);
      assert.equal(await answers(right, LEFT_IPV6, EXPEDITED), true);
      assert.equal(await answers(right, LEFT, "0", 1), false);
      await Promise.all([copying.left.stop(), copying.right.stop()]);
      await start(lab, family, "--dscp", "46");
      assert.equal(await answers(right, LEFT, "0"), true);
    },
  );

  labTest(
    `with --ecn on congestion over ${family} is told to packets that can say so, and others are dropped`,
    `tc-e${family}`,
    missing,
    async (lab) => {
      const { left, right } = lab;
      await rules(right, "output", `udp dport ${PORT} ${ip} ecn set ce`);
      const told = "type echo-request";
      await rules(
        left,
        "input",
        `iifname ${DEVICE} icmp ${told} ip ecn != ce drop`,
        `iifname ${DEVICE} icmpv6 ${told} ip6 ecn != ce drop`,
      );
      const ends = await start(lab, family, "--ecn", "on");
      assert.equal(await answers(right, LEFT, "0x02"), true, "ECT(0)");
      assert.equal(await answers(right, LEFT_IPV6, "0x01"), true, "ECT(1)");
      await left.exec("nft", "flush", "ruleset");
      assert.equal(await answers(right, LEFT, "0", 1), false);
      await until(
        "congestion has been counted",
        30,
        async () =>
          /[1-9]\d* dropped for congestion on the way/
            .test(await countsOf(ends.left)),
      );
    },
  );
}

labTest(
  "without --ecn a datagram that met congestion changes nothing",
  "tc-n",
  missing,
  async (lab) => {
    const { right, left } = lab;
    await rules(right, "output", `udp dport ${PORT} ip ecn set ce`);
    await rules(left, "input", `iifname ${DEVICE} ip ecn ce drop`);
    await start(lab, "ipv4", "--dscp", "10");
    assert.equal(await answers(right, LEFT, "0"), true);
    assert.equal(await answers(right, LEFT, "0x02"), true);
  },
);

labTest(
  "the portable plane says that --dscp and --ecn have no effect",
  "tc-p",
  [oursOnWebCrypto.missing()],
  async (lab) => {
    const daemon = await oursOnWebCrypto.start(lab.left, {
      ...waitingLeft,
      options: [...passphrase, "--ecn", "on"],
    });
    await daemon.line(/--ecn has no effect on the portable data plane/);
  },
);
