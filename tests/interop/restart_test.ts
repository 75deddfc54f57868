import assert from "node:assert/strict";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { labTest } from "../../lab/test_case.ts";
import {
  anytun,
  oursFromSource,
  oursNative,
  oursOnWebCrypto,
  type PeerProgram,
  uanytun,
} from "../../lab/peers.ts";
import { LEFT, speakingRight, waitingLeft } from "./settings.ts";

type Pair = readonly [receiver: PeerProgram, restarted: PeerProgram];

/** Receivers with a window, and ours that starts again. */
const pairs: readonly Pair[] = [
  [anytun, oursNative],
  [uanytun, oursNative],
  [oursNative, oursNative],
  [oursOnWebCrypto, oursNative],
  [anytun, oursFromSource],
];

/** How many datagrams are sent before the second start, at least. */
const SENT = 200;

for (const [index, pair] of pairs.entries()) {
  const [receiver, restarted] = pair;
  labTest(
    `${receiver.name} with a window of 64 loses nothing of ${restarted.name} that starts again`,
    `i-n${index}`,
    pair.map((program) => program.missing()),
    async (lab) => {
      await startTwice(lab, pair);
      assert.equal(await answers(lab.right, 20), 20);
    },
  );
}

for (const [index, pair] of pairs.slice(0, 3).entries()) {
  const [receiver, restarted] = pair;
  labTest(
    `${receiver.name} with a window of 64 loses all of ${restarted.name} that starts again with the same sender id`,
    `i-o${index}`,
    pair.map((program) => program.missing()),
    async (lab) => {
      await startTwice(lab, pair, "-s", "7");
      assert.equal(await answers(lab.right, 20), 0);
      // Until it passes the highest number that it had before.
      await answers(lab.right, 2 * SENT);
      assert.equal(await answers(lab.right, 20), 20);
    },
  );
}

/** Starts both, sends for a while, and starts the right one again. */
async function startTwice(
  lab: Lab,
  [receiver, restarted]: Pair,
  ...options: readonly string[]
): Promise<void> {
  await receiver.start(lab.left, {
    ...waitingLeft,
    options: [...waitingLeft.options, "-w", "64"],
  });
  const speaking = speakingRight(lab);
  const settings = { ...speaking, options: [...speaking.options, ...options] };
  const daemon = await restarted.start(lab.right, settings);
  await lab.right.ping(LEFT);
  assert.equal(await answers(lab.right, SENT), SENT);
  await daemon.stop();
  const again = await restarted.start(lab.right, settings);
  await again.line(/added connection remote host/);
}

/** How many of some echo requests through the tunnel are answered. */
async function answers(host: LabHost, count: number): Promise<number> {
  const flags = ["-n", "-q", "-c", String(count), "-i", "0.01", "-W", "5"];
  // Without any answer ping fails; what it says is in the message.
  const said = await host.exec("ping", ...flags, LEFT)
    .catch((error: Error) => error.message);
  const [, received] = /transmitted, (\d+) received/.exec(said) ?? [];
  assert.ok(received, said);
  return Number(received);
}
