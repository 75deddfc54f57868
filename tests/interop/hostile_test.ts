import assert from "node:assert/strict";
import type { Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/process.ts";
import type { Way } from "../../lab/scripts/relay.ts";
import { copy, serve } from "../../lab/measure.ts";
import { labTest } from "../../lab/test_case.ts";
import {
  anytun,
  oursFromSource,
  oursNative,
  type PeerProgram,
} from "../../lab/peers.ts";
import { LEFT, PORT, RIGHT, speakingRight, waitingLeft } from "./settings.ts";

const ATTACKER_PORT = 6666;
const RELAY_PORT = 4500;

/** Of so many datagrams one is lost and one overtaken. */
const HARM = 200;

/** How much is copied past the relay in either direction, in bytes. */
const COPY_BYTES = 5_000_000;

/** How long a copy may take before it is given up, in seconds. */
const COPY_SECONDS = 120;

/** Datagrams of the right form (SATP section 1), but without the key. */
const FORGERIES = [
  // Mux 0 like the real peer's: it must not take the real peer's place.
  "00000000" + "0000" + "0000" + "00".repeat(30) + "00".repeat(10),
  "ffffffff" + "0001" + "0000" + "a5".repeat(30) + "5a".repeat(10),
  // Another mux: it must not be the one that is waited for from now on.
  "00000000" + "0000" + "1234" + "a5".repeat(30) + "5a".repeat(10),
  // As short as a datagram can be, and shorter.
  "00000000" + "0000" + "0000" + "00".repeat(10),
  "00000000" + "0000" + "0000" + "00".repeat(9),
  "00",
];

/** What a relay does to datagrams. */
type Treatment = Pick<Way, "times" | "harm">;

/** Something that an attacker does, and how ours withstands. */
interface Attack {
  readonly name: string;
  readonly stand: (lab: Lab, ours: PeerProgram) => Promise<void>;
}

/** What each plane has to stand. */
const attacks: readonly Attack[] = [
  {
    name: "a forged datagram makes no connection and moves none",
    stand: refuseForgeries,
  },
  {
    name: "a datagram that was listened to and comes again moves no connection",
    stand: stayDespiteReplay,
  },
  {
    name: "with a replay window, a datagram that comes three times counts once",
    stand: countOnce,
  },
  {
    name: "without a replay window, a datagram counts as often as it comes",
    stand: countEachTime,
  },
  {
    name: "a copy is whole though datagrams are lost and overtaken",
    stand: mendWhatIsHarmed,
  },
];

for (const [way, ours] of [oursNative, oursFromSource].entries()) {
  for (const [index, { name, stand }] of attacks.entries()) {
    labTest(
      `${ours.name}: ${name}`,
      `i-h${way}${index}`,
      [ours.missing(), anytun.missing()],
      (lab) => stand(lab, ours),
    );
  }
}

async function refuseForgeries(lab: Lab, ours: PeerProgram): Promise<void> {
  const daemon = await ours.start(lab.left, waitingLeft);
  const attacker = await attack(lab, ATTACKER_PORT, FORGERIES);
  await assert.rejects(lab.left.ping(RIGHT, 1), "nobody is there to answer");

  await anytun.start(lab.right, speakingRight(lab));
  await lab.right.ping(LEFT);
  await lab.left.ping(RIGHT);

  const second = await attack(lab, ATTACKER_PORT + 1, FORGERIES);
  await lab.left.ping(RIGHT);
  await lab.right.ping(LEFT);
  for (const { lines } of [attacker, second]) {
    assert.deepEqual(lines, ["sent"], "the attacker was spoken to");
  }
  const followed = new RegExp(`autodetected.*:${ATTACKER_PORT}`);
  assert.ok(!daemon.lines.some((line) => followed.test(line)));
}

async function stayDespiteReplay(lab: Lab, ours: PeerProgram): Promise<void> {
  const { relay } = await startBehindRelay(lab, ours, {
    window: "0",
  });
  const datagram = (await relay.line(/^saw /)).slice("saw ".length);
  // The peer is heard all the time, so that there is no doubt where it is.
  lab.left.spawn("ping", "-q", "-i", "0.05", RIGHT);
  await lab.left.ping(RIGHT);

  const attacker = await attack(lab, ATTACKER_PORT, [datagram]);
  await lab.left.ping(RIGHT);
  await lab.left.ping(RIGHT);
  assert.deepEqual(attacker.lines, ["sent"], "the attacker was spoken to");
}

async function countOnce(lab: Lab, ours: PeerProgram): Promise<void> {
  const { daemon } = await startBehindRelay(lab, ours, {
    window: "64",
    times: 3,
  });
  assert.doesNotMatch(await fivePings(lab), /duplicates/);
  await daemon.line(/Replay attack from/);
}

async function countEachTime(lab: Lab, ours: PeerProgram): Promise<void> {
  await startBehindRelay(lab, ours, { window: "0", times: 3 });
  assert.match(await fivePings(lab), / \+\d+ duplicates/);
}

async function mendWhatIsHarmed(lab: Lab, ours: PeerProgram): Promise<void> {
  await startBehindRelay(lab, ours, { window: "64", harm: HARM });
  await Promise.all([serve(lab.left), serve(lab.right)]);
  for (const [from, to] of [[lab.right, LEFT], [lab.left, RIGHT]] as const) {
    const report = await copy(from, to, COPY_BYTES, COPY_SECONDS);
    assert.equal(report.bytes, COPY_BYTES, "the copy was too slow");
    assert.ok(report.intact, `what ${to} got differs from what was sent`);
  }
}

/** Sends datagrams to the left host's daemon from a port of its own. */
async function attack(
  { left, right }: Lab,
  port: number,
  datagrams: readonly string[],
): Promise<LabProcess> {
  const args = [String(port), left.ipv4, String(PORT), ...datagrams];
  const attacker = right.script("attacker.ts", ...args);
  await attacker.line(/^sent$/);
  return attacker;
}

/**
 * Starts ours on the left, and on the right a peer behind a relay that treats
 * its datagrams in some way.
 */
async function startBehindRelay(
  lab: Lab,
  ours: PeerProgram,
  { window, ...treatment }: { readonly window: string } & Treatment,
): Promise<{ readonly daemon: LabProcess; readonly relay: LabProcess }> {
  const daemon = await ours.start(lab.left, {
    ...waitingLeft,
    options: [...waitingLeft.options, "-w", window],
  });
  const relay = lab.right.script("relay.ts", String(RELAY_PORT));
  const way: Way = {
    from: { hostname: lab.right.ipv4, port: 5001 },
    to: { hostname: lab.left.ipv4, port: PORT },
    ...treatment,
  };
  await relay.tell(JSON.stringify(way));
  await relay.line(/took the way/);
  await anytun.start(lab.right, {
    ...speakingRight(lab),
    remote: { host: "127.0.0.1", port: RELAY_PORT },
  });
  await lab.right.ping(LEFT);
  return { daemon, relay };
}

/** What ping says of five echo requests and all that came back. */
function fivePings({ right }: Lab): Promise<string> {
  return right.exec("ping", "-n", "-c", "5", "-i", "0.2", LEFT);
}
