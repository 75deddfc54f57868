import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import type { Libc } from "../../../ffi/libc.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../../../src/tunnel/counters.ts";
import { engineMaker } from "../../../src/tunnel/engine_maker.ts";
import { DeviceTurn } from "../../../src/tunnel/native/device_turn.ts";
import type {
  NativeSetup,
  WorkerRole,
} from "../../../src/tunnel/native/messages.ts";
import { openWarmUp, WarmUp } from "../../../src/tunnel/native/warm_up.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";
import { libcTest } from "../../fakes/with_libc.ts";

/** Packets in a round. */
const PACKETS = 5;

/** Rounds before those that the setup asks for. */
const FIRST_ROUNDS = 20;

function setupFor(role: WorkerRole, warmUpRounds: number): NativeSetup {
  return {
    role,
    settings: tunnelSettings(),
    engine: "builtin",
    connections: ConnectionTable.allocate(),
    routes: undefined,
    accepted: undefined,
    counters: new SharedArrayBuffer(PLANE_COUNTERS * 8),
    stop: new SharedArrayBuffer(4),
    turn: DeviceTurn.allocate(),
    wakeup: -1,
    otherWakeup: -1,
    device: -1,
    sockets: {},
    receiveFrom: [],
    vnetHeader: false,
    gso: false,
    gro: false,
    locals: false,
    coalesce: { tcp: false, udp: false },
    warmUpRounds,
  };
}

/** Warms up, and counts what is written to either end of the device, and sent. */
function countWarmUp(
  libc: Libc,
  setup: NativeSetup,
  onWrite: (written: number) => void = () => {},
): { readonly written: number; readonly sent: number } {
  let written = 0;
  let sent = 0;
  const stop = new Int32Array(setup.stop);
  const { writeAt, sendmmsg } = libc.symbols;
  const symbols: Libc["symbols"] = {
    ...libc.symbols,
    writeAt(...args) {
      onWrite(++written);
      return writeAt(...args);
    },
    sendmmsg(...args) {
      const count = sendmmsg(...args);
      sent += count;
      return count;
    },
  };
  const now = () => performance.now();
  using idle = openWarmUp(setup, {
    libc: { ...libc, symbols },
    newEngine: engineMaker("builtin", now),
    now,
  });
  while (!idle.isDone && Atomics.load(stop, 0) === 0) idle.step();
  return { written, sent };
}

for (const role of ["all", "in"] as const) {
  libcTest(
    `the warm-up of worker '${role}' carries all that it is fed out and in again`,
    (libc) => {
      const fed = (FIRST_ROUNDS + 30) * PACKETS;
      const { written, sent } = countWarmUp(libc, setupFor(role, 30));
      assert.equal(sent, fed);
      assert.equal(written, 2 * fed);
    },
  );
}

libcTest("the warm-up of worker 'out' sends all that it is fed", (libc) => {
  const fed = (FIRST_ROUNDS + 30) * PACKETS;
  const { written, sent } = countWarmUp(libc, setupFor("out", 30));
  assert.equal(sent, fed);
  assert.equal(written, fed);
});

libcTest("a worker that is told to stop ends its warm-up", (libc) => {
  const setup = setupFor("all", 1000);
  const stop = new Int32Array(setup.stop);
  const { sent } = countWarmUp(libc, setup, (written) => {
    if (written === 1) Atomics.store(stop, 0, 1);
  });
  assert.equal(sent, PACKETS, "the round that it was in");
  assert.deepEqual(countWarmUp(libc, setup), { written: 0, sent: 0 });
});

libcTest(
  "others who flood the port of the warm-up do not hold it up",
  (libc) => {
    let received = 0;
    const recvmmsg = (_fd: number, _messages: unknown, count: number) => {
      assert.ok(++received < 10_000, "it never ends");
      return count;
    };
    const symbols = { ...libc.symbols, recvmmsg };
    const { sent } = countWarmUp({ ...libc, symbols }, setupFor("all", 10));
    assert.ok(sent > 0);
  },
);

libcTest(
  "where sockets hold less than a super-packet there is no warm-up, and a worker all the same",
  (libc) => {
    const symbols = { ...libc.symbols, writeAt: () => -1 };
    const small = { ...libc, symbols, errno: () => Errno.EMSGSIZE };
    assert.deepEqual(countWarmUp(small, setupFor("all", 10)).sent, 0);
  },
);

/** A tunnel that writes down what is asked of it. */
function fakeTunnel(failing: Error | undefined = undefined) {
  const deeds: string[] = [];
  const tunnel = {
    round(k: number) {
      deeds.push(`round ${k}`);
      if (failing !== undefined) throw failing;
    },
    [Symbol.dispose]: () => void deeds.push("close"),
  };
  return { tunnel, deeds };
}

Deno.test("a warm-up is done after its rounds, and closes its tunnel once", () => {
  const { tunnel, deeds } = fakeTunnel();
  using idle = new WarmUp(tunnel, 2);
  idle.step();
  assert.equal(idle.isDone, false);
  assert.deepEqual(deeds, ["round 0"]);
  idle.step();
  assert.equal(idle.isDone, true);
  assert.deepEqual(deeds, ["round 0", "round 1", "close"]);
  idle.step();
  idle[Symbol.dispose]();
  assert.deepEqual(deeds, ["round 0", "round 1", "close"]);
});

Deno.test("a round that is left out counts, and the last one closes the tunnel", () => {
  const { tunnel, deeds } = fakeTunnel();
  using idle = new WarmUp(tunnel, 3);
  idle.skip();
  idle.step();
  assert.equal(idle.isDone, false);
  idle.skip();
  assert.equal(idle.isDone, true);
  idle.skip();
  assert.deepEqual(deeds, ["round 1", "close"]);
});

Deno.test("a warm-up that is closed half way does no more rounds", () => {
  const { tunnel, deeds } = fakeTunnel();
  const idle = new WarmUp(tunnel, 10);
  idle.step();
  idle[Symbol.dispose]();
  assert.equal(idle.isDone, true);
  idle.step();
  assert.deepEqual(deeds, ["round 0", "close"]);
});

Deno.test("a warm-up that the kernel refuses ends, and nothing else does", () => {
  const refusal = new SystemError("send", "sendmmsg", 1);
  const { tunnel, deeds } = fakeTunnel(refusal);
  const idle = new WarmUp(tunnel, 10);
  idle.step();
  assert.equal(idle.isDone, true);
  assert.deepEqual(deeds, ["round 0", "close"]);
});

Deno.test("a warm-up that fails otherwise says so, and is over", () => {
  const { tunnel, deeds } = fakeTunnel(new Error("no tag"));
  const idle = new WarmUp(tunnel, 10);
  assert.throws(() => idle.step(), /^Error: no tag$/);
  assert.equal(idle.isDone, true);
  assert.deepEqual(deeds, ["round 0", "close"]);
});

Deno.test("without a tunnel, or rounds, there is nothing to do", () => {
  const idle = new WarmUp(undefined, 500);
  assert.equal(idle.isDone, true);
  idle.step();
});
