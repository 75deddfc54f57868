import type { Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/process.ts";
import type { Way } from "../../lab/scripts/relay.ts";
import { labTest } from "../../lab/test_case.ts";
import {
  anytun,
  oursNative,
  oursOnWebCrypto,
  type PeerProgram,
  type PeerSettings,
  uanytun,
} from "../../lab/peers.ts";
import { LEFT, PORT, RIGHT, speakingRight, waitingLeft } from "./settings.ts";

const RELAY_PORT = 4500;

/** A peer that stays where it is, and one whose address changes. */
interface Pair {
  readonly settled: PeerProgram;
  readonly roaming: PeerProgram;
}

const pairs: readonly Pair[] = [
  { settled: uanytun, roaming: anytun },
  { settled: anytun, roaming: uanytun },
  { settled: oursNative, roaming: anytun },
  { settled: oursNative, roaming: uanytun },
  { settled: oursNative, roaming: oursNative },
  { settled: anytun, roaming: oursNative },
  { settled: uanytun, roaming: oursNative },
  { settled: oursOnWebCrypto, roaming: anytun },
  { settled: oursOnWebCrypto, roaming: uanytun },
  { settled: anytun, roaming: oursOnWebCrypto },
  { settled: uanytun, roaming: oursOnWebCrypto },
];

/** A peer of ours, and one that starts again. */
const restarts: readonly Pair[] = [
  { settled: oursNative, roaming: anytun },
  { settled: oursNative, roaming: oursNative },
  { settled: oursOnWebCrypto, roaming: uanytun },
];

for (const [index, { settled, roaming }] of pairs.entries()) {
  const missing = [settled.missing(), roaming.missing()];
  labTest(
    `${settled.name} follows ${roaming.name} to another port and from IPv4 to IPv6`,
    `i-r${index}`,
    missing,
    async (lab) => {
      const daemon = await settled.start(lab.left, waitingLeft);
      const relay = lab.right.script("relay.ts", String(RELAY_PORT));
      await roaming.start(lab.right, {
        ...speakingRight(lab),
        remote: { host: "127.0.0.1", port: RELAY_PORT },
      });
      for (const way of ways(lab)) {
        await take(relay, way);
        await lab.right.ping(LEFT);
        await lab.left.ping(RIGHT);
        await daemon.line(found(way));
      }
    },
  );
}

for (const [index, { settled, roaming }] of restarts.entries()) {
  labTest(
    `${settled.name} finds ${roaming.name} again that restarts elsewhere and counts from 0`,
    `i-q${index}`,
    [settled.missing(), roaming.missing()],
    async (lab) => {
      await settled.start(lab.left, waitingLeft);
      const [before, , after] = ways(lab);
      const daemon = await roaming.start(lab.right, along(lab, before));
      await lab.right.ping(LEFT);
      // The more was sent before, the longer a peer that waits for a higher
      // number does not move.
      await lab.right.exec("ping", "-q", "-c", "200", "-i", "0.002", LEFT);
      await daemon.stop();

      await roaming.start(lab.right, along(lab, after));
      await lab.right.ping(LEFT, 20);
      await lab.left.ping(RIGHT);
    },
  );
}

/** A right peer that is bound to where a way begins. */
function along(lab: Lab, { from, to }: Way): PeerSettings {
  return {
    ...speakingRight(lab),
    port: from.port,
    remote: { host: to.hostname, port: to.port },
  };
}

/** The ways that the roaming peer takes, one after the other. */
function ways({ left, right }: Lab): readonly [Way, Way, Way] {
  const v4 = { hostname: left.ipv4, port: PORT };
  const v6 = { hostname: left.ipv6, port: PORT };
  return [
    { from: { hostname: right.ipv4, port: 5001 }, to: v4 },
    { from: { hostname: right.ipv4, port: 5002 }, to: v4 },
    { from: { hostname: right.ipv6, port: 5002 }, to: v6 },
  ];
}

async function take(relay: LabProcess, way: Way): Promise<void> {
  const before = relay.lines.length;
  await relay.tell(JSON.stringify(way));
  await relay.line(/took the way/, 10, before);
}

/** How the log speaks of a peer that was found at the start of a way. */
function found({ from: { hostname, port } }: Way): RegExp {
  return new RegExp(`autodetected.*${hostname}\\D+${port}$`);
}
