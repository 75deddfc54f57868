import assert from "node:assert/strict";
import { answeredEchoes, sendEchoes } from "../../lab/echoes.ts";
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
      assert.equal(await answeredEchoes(lab.right, LEFT, 20), 20);
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
      assert.equal(await sendEchoes(lab.right, LEFT, 20), 0);
      // Until it passes the highest number that it had before.
      await sendEchoes(lab.right, LEFT, 2 * SENT);
      assert.equal(await answeredEchoes(lab.right, LEFT, 20), 20);
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
  await sendEchoes(lab.right, LEFT, SENT);
  // Behind all of them.
  assert.equal(await answeredEchoes(lab.right, LEFT, 1), 1);
  await daemon.stop();
  const again = await restarted.start(lab.right, settings);
  await again.line(/added connection remote host/);
}
