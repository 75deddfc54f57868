import assert from "node:assert/strict";
import { CarryLoop } from "../../../src/tunnel/native/loop.ts";
import {
  type DeviceReader,
  DeviceTurn,
} from "../../../src/tunnel/native/device_turn.ts";
import { fastestEngine } from "../../../lab/engines.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { NativeRig } from "../../fakes/native_rig.ts";
import { counting, tcpPacket } from "../../../lab/packets.ts";
import { until } from "../../../lab/until.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";
import { superPacket } from "../../../lab/super_packets.ts";
import { createSatpCodec } from "../../../mod.ts";

/** Both views of one turn, and who was woken. */
function turns(clock = new ManualClock()) {
  const word = DeviceTurn.allocate();
  const woken: DeviceReader[] = [];
  const view = (own: DeviceReader) => {
    const other = own === "in" ? "out" : "in";
    return new DeviceTurn(
      own,
      word,
      { signal: () => woken.push(other) },
      clock.now,
    );
  };
  return { into: view("in"), out: view("out"), woken, clock };
}

/** Rounds of work until the turn should be passed, at most 100. */
function roundsUntilFull(turn: DeviceTurn): number {
  let rounds = 1;
  while (!turn.worked() && rounds < 100) rounds++;
  return rounds;
}

Deno.test("the worker of the way in reads the device first", () => {
  const { into, out } = turns();
  assert.equal(into.isOwn, true);
  assert.equal(out.isOwn, false);
});

Deno.test("a worker that never rests has its hands full, and passes the turn", () => {
  const { into, out, woken } = turns();
  assert.equal(roundsUntilFull(into), 16);
  into.pass();
  assert.equal(into.isOwn, false);
  assert.equal(out.isOwn, true);
  assert.deepEqual(woken, ["out"]);
  assert.equal(into.worked(), false, "what it has not it cannot pass");
});

Deno.test("a worker that rests in between keeps the turn", () => {
  const { into } = turns();
  for (let k = 0; k < 100; k++) {
    for (let round = 0; round < 15; round++) assert.ok(!into.worked());
    assert.equal(into.rested(k % 2 === 0), false);
  }
});

Deno.test("the worker of the way out passes the turn back when nothing comes", () => {
  const { into, out, woken } = turns();
  into.pass();
  assert.equal(out.worked(), false);
  assert.equal(out.rested(true), true);
  out.pass();
  assert.equal(into.isOwn, true);
  assert.deepEqual(woken, ["out", "in"]);
  assert.equal(out.rested(true), false, "what it has not it cannot pass");
});

Deno.test("the turn comes back when there is something to do seldom", async () => {
  const { into, out, clock } = turns();
  into.pass();
  for (let k = 1; k < 32; k++) {
    await clock.pass(4);
    assert.equal(out.rested(false), false);
  }
  assert.equal(out.rested(false), true);
});

Deno.test("the turn stays where there is something to do often", async () => {
  const { into, out, clock } = turns();
  into.pass();
  for (let k = 0; k < 1000; k++) {
    await clock.pass(1);
    assert.equal(out.rested(false), false);
  }
});

const DEVICE = 7;
const WAKEUP = 8;
const SOCKETS = [9, 10];

/** A loop whose parts write down what is asked of them. */
function loopOf(
  { inbound = true, turn, isWatched = false }: {
    readonly inbound?: boolean;
    readonly turn?: DeviceTurn;
    readonly isWatched?: boolean;
  },
) {
  const deeds: string[] = [];
  const script = {
    outbound: false,
    inbound: false,
    ready: [] as number[],
    readyAfterStep: [] as number[],
    idleSteps: 0,
    retired: 0,
    time: 0,
  };
  const watched: number[] = [];
  const looks = { count: 0 };
  const loop = new CarryLoop({
    wait: {
      add: (fd) => watched.push(fd) - 1,
      watch: (index, events) =>
        void deeds.push(`watch ${watched[index]} for ${events}`),
      wait(limit) {
        deeds.push(`wait ${limit}`);
        return script.ready.length;
      },
      ready: (index) => script.ready.includes(watched[index] ?? -1) ? 1 : 0,
    },
    wakeup: { fd: WAKEUP, drain: () => void deeds.push("drain") },
    device: DEVICE,
    outbound: {
      pump: () => (deeds.push("out"), script.outbound),
      sendDue() {},
      drain: () => void deeds.push("drain"),
    },
    inbound: inbound
      ? { pump: () => (deeds.push("in"), script.inbound) }
      : undefined,
    sockets: SOCKETS,
    connections: {
      dropSomeRetired() {
        looks.count++;
        if (script.retired === 0) return;
        script.retired--;
        deeds.push("drop");
        script.ready = script.readyAfterStep;
      },
      get hasRetired() {
        return script.retired > 0;
      },
      raiseFloors() {},
    },
    turn,
    beat: { isWanted: isWatched, send: () => void deeds.push("beat") },
    maxRest: 500,
    idle: {
      get isDone() {
        return script.idleSteps === 0;
      },
      step() {
        script.idleSteps--;
        deeds.push("idle");
        script.ready = script.readyAfterStep;
      },
      skip() {
        script.idleSteps--;
      },
    },
    now: () => script.time,
    log: { flush: () => void deeds.push("log") },
  });
  const round = (passed = 500): string[] => {
    deeds.length = 0;
    script.time += passed;
    loop.round();
    return [...deeds];
  };
  return { loop, script, round, watched, looks };
}

Deno.test("each round looks once for keys that are out of use, whoever has the device", () => {
  const { out } = turns();
  for (const parts of [{}, { inbound: false, turn: out }]) {
    const { round, looks } = loopOf(parts);
    for (let k = 1; k <= 3; k++) {
      round();
      assert.equal(looks.count, k);
    }
  }
});

Deno.test("a round carries in, then out, and rests when nothing is left", () => {
  const { script, round, watched } = loopOf({});
  assert.deepEqual(watched, [DEVICE, WAKEUP, ...SOCKETS]);
  script.outbound = true;
  assert.deepEqual(round(), ["in", "out"]);
  script.outbound = false;
  script.inbound = true;
  assert.deepEqual(round(), ["in", "out"]);
  script.inbound = false;
  assert.deepEqual(round(), ["in", "out", "wait 500", "log"]);
});

Deno.test("what is left of keys out of use is dropped part by part, unless there are packets", () => {
  const { script, round } = loopOf({});
  script.retired = 4;
  script.inbound = true;
  assert.deepEqual(round(), ["drop", "in", "out"]);
  script.inbound = false;
  script.readyAfterStep = [DEVICE];
  assert.deepEqual(round(), ["drop", "in", "out", "wait 0", "log"]);
  script.ready = script.readyAfterStep = [];
  script.retired = 3;
  const parts = ["wait 0", "drop", "wait 0", "drop"];
  assert.deepEqual(
    round(),
    ["drop", "in", "out", ...parts, "wait 500", "log"],
  );
});

Deno.test("log lines are held back for the longest rest, and no longer", () => {
  const { round } = loopOf({});
  assert.ok(round().includes("log"));
  assert.ok(!round(499).includes("log"));
  assert.ok(round(1).includes("log"));
  assert.ok(!round(1).includes("log"));
});

Deno.test("a thread that is watched beats while it rests, while it has its hands full, and during idle work", () => {
  const { script, round } = loopOf({ isWatched: true });
  assert.deepEqual(round(), ["in", "out", "wait 100", "beat", "log"]);
  assert.deepEqual(round(99), ["in", "out", "wait 100"]);
  assert.deepEqual(round(1), ["in", "out", "wait 100", "beat"]);
  script.inbound = true;
  // A round of many joined datagrams may take as long.
  for (let k = 0; k < 20; k++) {
    assert.deepEqual(round(100), ["in", "out", "beat"]);
  }
  assert.deepEqual(round(99), ["in", "out"]);
  script.inbound = false;
  script.idleSteps = 1 + 8 + 8;
  script.readyAfterStep = [];
  assert.equal(
    round(1000).indexOf("beat"),
    2 + quiet(8).length,
    "after the first steps",
  );
});

Deno.test("a signalled eventfd ends a rest, and is drained", () => {
  const { script, round } = loopOf({});
  script.ready = [WAKEUP];
  assert.deepEqual(round(), ["in", "out", "wait 500", "drain", "log"]);
});

/** What a quiet moment with so many steps of idle work looks like. */
function quiet(steps: number): string[] {
  return ["wait 1", ...Array(steps).fill(["idle", "wait 0"]).flat()];
}

Deno.test("idle work is done between looks, some in each quiet moment, and then the loop rests", () => {
  const { script, round } = loopOf({});
  // The round itself leaves one out.
  script.idleSteps = 1 + 8 + 8 + 1;
  const moments = [8, 8, 1].flatMap(quiet);
  assert.deepEqual(round(), ["in", "out", ...moments, "wait 500", "log"]);
  assert.deepEqual(round(), ["in", "out", "wait 500", "log"]);
});

Deno.test("idle work waits while there are packets, and each round with them is a step less", () => {
  const { script, round } = loopOf({});
  script.idleSteps = 3;
  script.ready = [DEVICE];
  assert.deepEqual(round(), ["in", "out", "wait 1", "log"]);
  script.outbound = true;
  assert.deepEqual(round(), ["in", "out"]);
  assert.equal(script.idleSteps, 1);
});

Deno.test("a packet ends the idle work after its step, and so does a signalled eventfd", () => {
  const { script, round } = loopOf({});
  script.idleSteps = 6;
  script.readyAfterStep = [SOCKETS[0] ?? -1];
  assert.deepEqual(round(), ["in", "out", ...quiet(1), "log"]);
  script.ready = [];
  script.readyAfterStep = [WAKEUP];
  assert.deepEqual(round(), ["in", "out", ...quiet(1), "drain", "log"]);
  script.ready = [];
  script.readyAfterStep = [];
  assert.deepEqual(round(), ["in", "out", ...quiet(1), "wait 500", "log"]);
});

Deno.test("what is left of a super-packet goes out before the turn is passed", () => {
  const { into, out } = turns();
  const { script, round } = loopOf({ turn: into });
  script.outbound = true;
  for (let k = 1; k < 16; k++) assert.deepEqual(round(), ["in", "out"]);
  assert.equal(out.isOwn, false);
  assert.deepEqual(round(), ["in", "out", "drain"]);
  assert.equal(out.isOwn, true);
});

Deno.test("what was before its turn does not make a worker pass it", async () => {
  const { into, out, clock } = turns();
  const { script, round } = loopOf({ inbound: false, turn: out });
  script.ready = [DEVICE];
  round();
  await clock.pass(10_000);
  into.pass();
  for (let k = 0; k < 100; k++) {
    await clock.pass(1);
    round();
    assert.ok(out.isOwn, `passed after ${k} ms`);
  }
});

Deno.test("the device is not read out of turn, nor waited for", () => {
  const { into, out } = turns();
  const { round } = loopOf({ turn: into });
  into.pass();
  assert.deepEqual(round(), [`watch ${DEVICE} for 0`, "in", "wait 500", "log"]);
  assert.deepEqual(round(), ["in", "wait 500", "log"]);
  out.pass();
  assert.deepEqual(
    round(),
    [`watch ${DEVICE} for 1`, "in", "out", "wait 500", "log"],
  );
});

Deno.test("the worker of the way out waits shortly, and only in its turn", () => {
  const { into, out } = turns();
  const { round } = loopOf({ inbound: false, turn: out });
  assert.deepEqual(round(), [`watch ${DEVICE} for 0`, "wait 500", "log"]);
  into.pass();
  assert.deepEqual(
    round(),
    [`watch ${DEVICE} for 1`, "out", "wait 64", "log", "drain"],
  );
  assert.equal(into.isOwn, true);
});

const VECTOR = usualVector("turn tests");

/** No batch ends where a super-packet of so many segments does. */
const SEGMENTS = 44;
/** More than enough for a worker to have its hands full. */
const SUPER_PACKETS = 40;

Deno.test("packets keep their order while one worker takes the device over from the other", async () => {
  // Small ones: all of them must fit into the socket of the peer.
  const packet = tcpPacket({ version: 4 }, { payload: counting(SEGMENTS * 8) });
  await using rig = await NativeRig.start({
    engine: fastestEngine(),
    workers: 2,
    params: paramsOf(VECTOR),
    secrets: await secretsOf(VECTOR),
    role: "left",
    remote: "home",
    vnetHeader: true,
    gso: true,
    beforeStart(rig) {
      for (let k = 0; k < SUPER_PACKETS; k++) {
        assert.ok(rig.device.handOver(superPacket(packet, 8)));
      }
    },
  });
  const count = SUPER_PACKETS * SEGMENTS;
  await until(
    () => `all have gone out, but ${rig.collect().length} of ${count}`,
    60,
    () => rig.collect().length === count,
  );
  const codec = await createSatpCodec({
    passphrase: VECTOR.passphrase,
    role: "right",
  });
  const opening = rig.collect().map(({ datagram }) => codec.open(datagram));
  const sent = await Promise.all(opening);
  assert.deepEqual(
    sent.map(({ seq }) => seq),
    Array.from({ length: count }, (_, k) => k),
  );
  const [first] = sent.map(({ payload }) => tcpSequence(payload));
  assert.deepEqual(
    sent.map(({ payload }) => tcpSequence(payload) - (first ?? 0)),
    Array.from({ length: count }, (_, k) => 8 * (k % SEGMENTS)),
  );
});

/** The sequence number of a TCP segment over IPv4 without options. */
function tcpSequence(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(20 + 4);
}
