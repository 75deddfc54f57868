import { strict as assert } from "node:assert";
import type { Libc } from "../../../ffi/libc.ts";
import { EventFd } from "../../../ffi/poll.ts";
import { SocketPair } from "../../../ffi/net/socket_pair.ts";
import type { UdpSocket } from "../../../ffi/net/udp.ts";
import { createSatpCodec } from "../../../mod.ts";
import type { CryptoEngine } from "../../../src/satp/engine.ts";
import { engineMaker } from "../../../src/tunnel/engine_maker.ts";
import { assemble } from "../../../src/tunnel/native/assemble.ts";
import type { CarryLoop } from "../../../src/tunnel/native/loop.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import { DeviceTurn } from "../../../src/tunnel/native/device_turn.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { PlaneLog } from "../../../src/tunnel/plane_log.ts";
import { MemoryPlane } from "../../fakes/memory_plane.ts";
import { LoopbackPeer, openOn } from "../../fakes/native_rig_peer.ts";
import { until } from "../../../lab/until.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";
import { libcTest } from "../../fakes/with_libc.ts";
import { WarmUp } from "../../../src/tunnel/native/warm_up.ts";

const VECTOR = usualVector("fault tests");
const PACKET = new Uint8Array(40).fill(0x45);
const LOST =
  "ERROR: a batch of packets is lost to an internal error: out of order";

async function sealed(seq: number): Promise<Uint8Array> {
  const { passphrase } = VECTOR;
  const codec = await createSatpCodec({ passphrase, role: "right" });
  return await codec.seal({ seq, payloadType: 0x0800, payload: PACKET });
}

/** Lets the next authentication fail. */
function failOnce<E extends CryptoEngine>(engine: E): E {
  const beginMac = engine.beginMac.bind(engine);
  engine.beginMac = () => {
    engine.beginMac = beginMac;
    throw new Error("out of order");
  };
  return engine;
}

/** The longest time that a record is held, in ms. */
const HOLD_MS = 60_000;

/**
 * Takes the lock of connection 0, as a thread does that is kept from giving it
 * back, until another one says that it has waited for long.
 *
 * @returns When it is given back
 */
async function holdRecord(
  table: ConnectionTable,
  counters: Float64Array,
): Promise<{ readonly end: Promise<void> }> {
  const code = `
    self.onmessage = ({ data: { lock, counters } }) => {
      Atomics.store(lock, 0, 1);
      self.postMessage("held");
      const never = new Int32Array(new SharedArrayBuffer(4));
      const isWaitedFor = () => counters[${PlaneCounter.LONG_WAITS}] > 0;
      for (let ms = 0; ms < ${HOLD_MS} && !isWaitedFor(); ms += 10) {
        Atomics.wait(never, 0, 0, 10);
      }
      Atomics.store(lock, 0, 0);
      Atomics.notify(lock, 0);
      self.postMessage("given back");
    };`;
  const url = URL.createObjectURL(
    new Blob([code], { type: "text/javascript" }),
  );
  const worker = new Worker(url, { type: "module" });
  const held = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  worker.onmessage = ({ data }) =>
    data === "held" ? held.resolve() : end.resolve();
  const lock = new Int32Array(table.shared.buffer);
  worker.postMessage({ lock, counters });
  await held.promise;
  const over = end.promise.then(() => {
    worker.terminate();
    URL.revokeObjectURL(url);
  });
  return { end: over };
}

interface NativeWorker {
  readonly table: ConnectionTable;
  readonly loop: CarryLoop;
  readonly counters: Float64Array;
  readonly pair: SocketPair;
  readonly socket: UdpSocket;
  readonly peer: LoopbackPeer;
  readonly log: ReturnType<typeof recordingLog>;
}

async function withWorker(
  libc: Libc,
  body: (worker: NativeWorker) => Promise<void>,
): Promise<void> {
  using cleanup = new DisposableStack();
  const pair = cleanup.use(new SocketPair(libc));
  const loopback = Uint8Array.of(127, 0, 0, 1);
  const peer = new LoopbackPeer(libc, loopback);
  cleanup.defer(() => peer.close());
  const socket = openOn(libc, loopback);
  cleanup.defer(() => socket.close());
  const wakeup = EventFd.open(libc);
  cleanup.defer(() => wakeup.close());
  const table = new ConnectionTable(ConnectionTable.allocate());
  const words = endpointWords();
  writeEndpoint(words, 0, peer.endpoint);
  table.endpoints.set(0, words, 0);
  const secrets = await secretsOf(VECTOR);
  table.put(0, { role: "left", secrets, windowSize: 64 }, 0);
  const now = () => 0;
  const newEngine = engineMaker("builtin", now);
  const log = recordingLog();
  const counters = new SharedArrayBuffer(PLANE_COUNTERS * 8);
  const loop = assemble({
    role: "all",
    settings: tunnelSettings(),
    engine: "builtin",
    connections: table.shared,
    routes: undefined,
    accepted: undefined,
    counters,
    stop: new SharedArrayBuffer(4),
    turn: DeviceTurn.allocate(),
    wakeup: wakeup.fd,
    otherWakeup: wakeup.fd,
    device: pair.near,
    sockets: { ipv4: socket.fd },
    receiveFrom: [socket.fd],
    vnetHeader: false,
    gso: false,
    gro: false,
    locals: false,
    coalesce: { tcp: false, udp: false },
    warmUpRounds: 0,
  }, {
    ...{ libc, now },
    newEngine: (arena) => failOnce(newEngine(arena)),
    log: new PlaneLog(log, now),
    moved: () => {},
    refused() {},
    maxRest: 0,
    idle: new WarmUp(undefined, 0),
  });
  const shown = new Float64Array(counters);
  await body({ table, loop, counters: shown, pair, socket, peer, log });
}

libcTest(
  "an error of the engine costs one batch on the native way out",
  (libc) =>
    withWorker(libc, async ({ loop, counters, pair, peer, log }) => {
      for (let k = 0; k < 2; k++) {
        libc.symbols.write(pair.far, PACKET, PACKET.length);
        while (!loop.round());
      }
      const received: Uint8Array[] = [];
      await until(
        "the second packet comes",
        60,
        () => received.push(...peer.received()) > 0,
      );
      assert.equal(received.length, 1);
      assert.equal(counters[PlaneCounter.INTERNAL_ERROR], 1);
      assert.deepEqual(log.lines, [LOST]);
    }),
);

libcTest(
  "an error of the engine costs one batch on the native way in",
  (libc) =>
    withWorker(libc, async ({ loop, counters, pair, socket, peer, log }) => {
      const packet = new Uint8Array(2048);
      let received = -1;
      for (let seq = 0; seq < 2; seq++) {
        peer.send([await sealed(seq)], socket.local);
        await until("something comes of it", 60, () => {
          loop.round();
          received = libc.symbols.read(pair.far, packet, packet.length);
          return received > 0 || log.lines.length > seq;
        });
      }
      assert.deepEqual(packet.subarray(0, received), PACKET);
      assert.equal(counters[PlaneCounter.INTERNAL_ERROR], 1);
      assert.deepEqual(log.lines, [LOST]);
    }),
);

libcTest(
  "a worker that another thread keeps from a connection for seconds loses nothing, and says so",
  (libc) =>
    withWorker(
      libc,
      async ({ table, loop, counters, pair, peer, log }) => {
        // The engine fails the first one.
        libc.symbols.write(pair.far, PACKET, PACKET.length);
        while (!loop.round());
        // Has the worker look at the record.
        table.endpoints.setPathMtu(0, 1400);
        const released = await holdRecord(table, counters);
        libc.symbols.write(pair.far, PACKET, PACKET.length);
        while (!loop.round());
        await released.end;
        const received: Uint8Array[] = [];
        await until(
          "the packet comes",
          60,
          () => received.push(...peer.received()) > 0,
        );
        assert.equal(counters[PlaneCounter.LONG_WAITS], 1);
        assert.equal(counters[PlaneCounter.INTERNAL_ERROR], 1);
        assert.match(
          log.lines.at(-1) ?? "",
          /^WARNING: connection 0 is held by/,
        );
      },
    ),
);

Deno.test("an error of the engine costs one batch on the portable plane", async () => {
  for (const way of ["in", "out"]) {
    await using plane = await MemoryPlane.start({
      params: paramsOf(VECTOR),
      secrets: await secretsOf(VECTOR),
      role: "left",
      remote: "home",
      wrap: failOnce,
    });
    if (way === "in") {
      assert.deepEqual(await plane.receive([await sealed(0)], "home"), []);
      const second = await plane.receive([await sealed(1)], "home");
      assert.deepEqual(second, [PACKET]);
    } else {
      plane.offer([PACKET]);
      await until(
        "the first batch fails",
        60,
        () => plane.planeCounter(PlaneCounter.INTERNAL_ERROR) > 0,
      );
      plane.offer([PACKET]);
      await until(
        "the second packet is sent",
        60,
        () => plane.outcome().sent.length === 1,
      );
    }
    assert.equal(plane.planeCounter(PlaneCounter.INTERNAL_ERROR), 1);
    assert.deepEqual(await plane.stop(), [LOST]);
  }
});

Deno.test("a datagram for which the socket has no room is dropped as such on the portable plane", async () => {
  await using plane = await MemoryPlane.start({
    params: paramsOf(VECTOR),
    secrets: await secretsOf(VECTOR),
    role: "left",
    remote: "home",
  });
  const { SEND_DROPPED, SEND_FAILED, PACKETS_OUT } = ConnectionCounter;
  const counted = () =>
    [SEND_DROPPED, SEND_FAILED].map((index) => plane.connectionCounter(index));
  for (
    const [failure, expected] of [
      ["ENOBUFS", [1, 0]],
      ["EAGAIN", [2, 0]],
      ["EPERM", [2, 1]],
    ] as const
  ) {
    plane.refuseToSend(failure);
    plane.offer([PACKET]);
    const sum = expected[0] + expected[1];
    await until(
      () => `${failure} is counted: ${counted()}`,
      60,
      () => counted().reduce((a, b) => a + b) === sum,
    );
    assert.deepEqual(counted(), expected, failure);
  }
  assert.equal(plane.connectionCounter(PACKETS_OUT), 3);
  const [line = "", ...others] = await plane.stop();
  assert.match(
    line,
    /cannot send to home.*EPERM|cannot send to home.*firewall/,
  );
  assert.deepEqual(others, []);
});
