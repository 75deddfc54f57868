/**
 * Carries pings through the loop of a worker, alone in its process: between a
 * pair of sockets instead of a device, and itself over the loopback device.
 * Prints what the heap grew by for each of them, in bytes, in several runs.
 *
 * The arguments are the worker's role, the packets that the device hands over
 * at a time, and how many keys open them. The young part of the heap must be
 * large enough that nothing is collected meanwhile.
 *
 * @module
 */
import { getHeapStatistics } from "node:v8";
import { SteadyClock } from "../../ffi/clock.ts";
import { openLibc } from "../../ffi/libc.ts";
import { Arena } from "../../ffi/memory.ts";
import { SocketPair } from "../../ffi/net/socket_pair.ts";
import { UdpSocket } from "../../ffi/net/udp.ts";
import { EventFd } from "../../ffi/poll.ts";
import { PacketPort } from "../../ffi/tuntap/packet_port.ts";
import { writePlainHeader } from "../../src/offload/virtio.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../../src/tunnel/counters.ts";
import { writeEndpoint } from "../../src/tunnel/endpoint_words.ts";
import { engineMaker } from "../../src/tunnel/engine_maker.ts";
import { assemble } from "../../src/tunnel/native/assemble.ts";
import { DeviceTurn } from "../../src/tunnel/native/device_turn.ts";
import type {
  NativeSetup,
  WorkerRole,
} from "../../src/tunnel/native/messages.ts";
import { FLUSH_MS } from "../../src/log/rate_limited_log.ts";
import { PlaneLog } from "../../src/tunnel/plane_log.ts";
import { recordingLog } from "./recording_log.ts";
import { tunnelSettings } from "./tunnel_settings.ts";

/** Until the runtime has compiled everything for good. */
const FIRST_PINGS = 60_000;
const RUNS = 20;
const PINGS = 4000;

const ROOM = 16384;
const VIRTIO_BYTES = 10;
const PING_BYTES = 84;

const [role = "all", together = "1", sets = "1"] = Deno.args;
const libc = openLibc();
const pair = new SocketPair(libc);
const address = Uint8Array.of(127, 0, 0, 1);
const socket = UdpSocket.open(libc, { address, port: 0, scope: 0 });
socket.tellLocalAddresses();
const wakeup = EventFd.open(libc);
const clock = new SteadyClock(libc, Date.now());
const now = () => clock.now();
const loop = assemble(setupOf(role === "in" ? "in" : "all"), {
  ...{ libc, now },
  newEngine: engineMaker("openssl", now),
  idle: { isDone: true, step() {}, skip() {} },
  log: new PlaneLog(recordingLog(), now),
  moved() {},
  refused() {},
  maxRest: FLUSH_MS,
});
const arena = new Arena(2 * ROOM);
const far = new PacketPort(libc, arena, pair.far);
const fed = arena.take(ROOM);
const back = arena.take(ROOM);

function setupOf(role: WorkerRole): NativeSetup {
  return {
    ...{ role, engine: "openssl", settings: tunnelSettings({ mux: 1 }) },
    connections: tableOfTwo().shared,
    routes: undefined,
    accepted: undefined,
    counters: new SharedArrayBuffer(PLANE_COUNTERS * 8),
    stop: new SharedArrayBuffer(4),
    turn: DeviceTurn.allocate(),
    ...{ wakeup: wakeup.fd, otherWakeup: wakeup.fd, device: pair.near },
    ...{ sockets: { ipv4: socket.fd }, receiveFrom: [socket.fd] },
    ...{ vnetHeader: true, gso: true, gro: socket.enableGro() },
    locals: true,
    coalesce: { tcp: true, udp: true },
    warmUpRounds: 0,
  };
}

/** What connection 0 seals for mux 1, connection 1 opens. */
function tableOfTwo(): ConnectionTable {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const { address: bytes, port } = socket.local;
  const words = endpointWords();
  writeEndpoint(words, 0, { address: { family: 4, bytes }, port });
  const salt = new Uint8Array(14);
  for (const mux of [0, 1]) {
    const role = mux === 0 ? "left" : "right";
    const keysOf = (key: number) =>
      ({ role, secrets: { key: new Uint8Array(16).fill(key), salt } }) as const;
    table.endpoints.set(mux, words, 0);
    table.put(mux, { ...keysOf(0), windowSize: 1024 }, 0);
    for (let k = 1; k < Number(sets); k++) table.addOpening(mux, keysOf(k));
  }
  return table;
}

function carry(pings: number): number {
  let carried = 0;
  for (let k = 0; k < pings; k += Number(together)) {
    for (let i = 0; i < Number(together); i++) {
      far.write(fed, VIRTIO_BYTES + PING_BYTES);
    }
    wakeup.signal();
    while (!loop.round());
    while (far.read(back, ROOM) > 0) carried++;
  }
  return carried;
}

writePlainHeader(arena.view, fed);
arena.view.setUint16(fed + VIRTIO_BYTES, 0x4500);
arena.view.setUint16(fed + VIRTIO_BYTES + 2, PING_BYTES);
carry(FIRST_PINGS);
const grown: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const before = getHeapStatistics().used_heap_size;
  const carried = carry(PINGS);
  grown.push((getHeapStatistics().used_heap_size - before) / carried);
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(grown)));
