import assert from "node:assert/strict";
import {
  LEFT,
  PORT,
  RIGHT,
  speakingRight,
  waitingLeft,
} from "../interop/settings.ts";
import { FLOOD_KINDS } from "../../lab/flood.ts";
import type { LabHost } from "../../lab/host.ts";
import { type HostileLab, STRANGER } from "../../lab/hostile_lab.ts";
import { WIRE } from "../../lab/lab.ts";
import { copy, serve } from "../../lab/measure.ts";
import {
  oursFromSource,
  oursNative,
  type PeerProgram,
} from "../../lab/peers.ts";
import { hostileTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const COPY_BYTES = 5e6;

/** How long a copy may take before it is given up, in seconds. */
const COPY_SECONDS = 120;

/** Datagrams that forgeries and replays are made of. */
const RECORDED = 20;

/** Datagrams of a flood. */
const FLOOD = 5000;

const FIRST_FIVE = [1, 2, 3, 4, 5];

const PROGRAMS = [oursNative, oursFromSource];

async function start(
  lab: HostileLab,
  program: PeerProgram,
  ...options: readonly string[]
) {
  const left = await program.start(lab.left, {
    ...waitingLeft,
    options: [...waitingLeft.options, ...options],
  });
  const speaking = speakingRight(lab);
  const right = await program.start(lab.right, {
    ...speaking,
    options: [...speaking.options, ...options],
  });
  await lab.right.ping(LEFT);
  return { left, right };
}

/** How many of some echo requests through the tunnel are answered at once. */
async function answers(
  host: LabHost,
  to: string,
  count: number,
  ...options: readonly string[]
): Promise<number> {
  const flags = ["-n", "-q", "-c", String(count), "-i", "0.02", "-W", "1"];
  // Without any answer ping fails; what it says is in the message.
  const said = await host.exec("ping", ...flags, ...options, to)
    .catch((error: Error) => error.message);
  const [, received] = /transmitted, (\d+) received/.exec(said) ?? [];
  assert.ok(received, said);
  return Number(received);
}

/**
 * Which of the first echo requests are answered, however late: by itself ping
 * waits for the last answer hardly longer than for those before.
 */
async function answered(
  host: LabHost,
  to: string,
  count: number,
): Promise<readonly number[]> {
  // Until there are so many answers it asks on, which tells of those lost.
  const flags = ["-n", "-c", String(count), "-i", "0.02", "-w", "20"];
  const { stdout } = await host.outcome(["ping", ...flags, to]);
  return [...stdout.matchAll(/bytes from .* icmp_seq=(\d+) /g)]
    .map(([, number]) => Number(number)).filter((number) => number <= count);
}

/** Sends datagrams in somebody's name, and waits until all are on their way. */
async function flood(
  lab: HostileLab,
  kind: typeof FLOOD_KINDS[number],
  source: "stranger" | "peer",
  count: number,
): Promise<void> {
  const from = source === "stranger"
    ? STRANGER
    : { ...await lab.station("right", PORT), mac: STRANGER.mac };
  const to = await lab.station("left", PORT);
  const order = { kind, protocol: "satp", from, to } as const;
  await lab.flood({ ...order, perSecond: 50_000, count });
  while (await lab.flooded() < count) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await lab.stopFlood();
}

for (const [index, program] of PROGRAMS.entries()) {
  hostileTest(
    `${program.name}: no flood of a stranger's or in the peer's name ends the tunnel, or gets an answer`,
    `e-hf${index}`,
    program.missing(),
    async (lab) => {
      await start(lab, program, "-w", "1024");
      await lab.record(
        "right",
        RECORDED,
        () => answers(lab.right, LEFT, 2 * RECORDED),
      );
      await lab.heard(STRANGER.address);
      for (const kind of FLOOD_KINDS) {
        await flood(lab, kind, "stranger", FLOOD);
        await flood(lab, kind, "peer", FLOOD);
        await lab.left.ping(RIGHT);
        await lab.right.ping(LEFT);
      }
      assert.equal(await lab.heard(STRANGER.address), 0);
    },
  );

  for (const [k, stays] of [true, false].entries()) {
    const options = stays ? ["--no-roaming"] : [];
    hostileTest(
      `${program.name}: a datagram that was held back and comes from a stranger ${
        stays
          ? "moves nobody with --no-roaming"
          : "moves the peer until it speaks"
      }`,
      `e-hh${index}${k}`,
      program.missing(),
      async (lab) => {
        const { left } = await start(lab, program, ...options);
        await lab.holdBack(true);
        await lab.record(
          "right",
          RECORDED,
          () => answers(lab.right, LEFT, 2 * RECORDED),
        );
        await flood(lab, "recordings", "stranger", RECORDED);
        if (!stays) await left.line(/ip changed 192\.0\.2\.66:6666$/);
        await lab.holdBack(false);
        await lab.heard(STRANGER.address);
        if (stays) {
          assert.deepEqual(await answered(lab.left, RIGHT, 5), FIRST_FIVE);
          assert.equal(await lab.heard(STRANGER.address), 0);
        } else {
          assert.equal(await answers(lab.left, RIGHT, 5), 0);
          const isHeard = async () => await lab.heard(STRANGER.address) > 0;
          await until("the stranger is sent something", 20, isHeard);
        }
        await lab.right.ping(LEFT);
        assert.deepEqual(await answered(lab.left, RIGHT, 5), FIRST_FIVE);
      },
    );
  }

  hostileTest(
    `${program.name}: a copy arrives whole over a cable that loses, doubles, delays and spoils datagrams`,
    `e-hc${index}`,
    program.missing(),
    async (lab) => {
      const share = 0.03;
      await lab.harm({
        ...{ loss: share, duplication: share },
        ...{ reordering: share, corruption: share },
      });
      await start(lab, program, "-w", "1024");
      await serve(lab.left);
      const { bytes, intact } = await copy(
        ...[lab.right, LEFT, COPY_BYTES, COPY_SECONDS] as const,
      );
      assert.deepEqual({ bytes, intact }, { bytes: COPY_BYTES, intact: true });
    },
  );

  hostileTest(
    `${program.name}: a tunnel goes on after its program was stopped, its link was down and its address has changed`,
    `e-hs${index}`,
    program.missing(),
    async (lab) => {
      const { left } = await start(lab, program);
      Deno.kill(left.pid, "SIGSTOP");
      assert.equal(await answers(lab.right, LEFT, 20), 0);
      Deno.kill(left.pid, "SIGCONT");
      await lab.right.ping(LEFT);

      await lab.middle.ip("link", "set", "right", "down");
      assert.equal(await answers(lab.right, LEFT, 5), 0);
      await lab.middle.ip("link", "set", "right", "up");
      await lab.right.ping(LEFT);

      const old = `${lab.right.ipv4}/24`;
      await lab.right.ip("addr", "del", old, "dev", WIRE);
      await lab.right.address(WIRE, "192.0.2.102/24");
      await lab.right.ping(LEFT);
      await lab.left.ping(RIGHT);
    },
  );

  hostileTest(
    `${program.name}: what is longer than a router takes arrives in fragments once the router has said so`,
    `e-hm${index}`,
    program.missing(),
    async (lab) => {
      await lab.narrow(1000);
      await start(lab, program);
      const long = ["-s", "1372", "-M", "do"];
      // From the first one that is lost the sender learns, when it hears of it.
      await until(
        "they arrive",
        60,
        async () => await answers(lab.left, RIGHT, 5, ...long) === 5,
      );
    },
  );
}
