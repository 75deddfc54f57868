/**
 * A worker of the native plane. After its setup it never returns to the event
 * loop: it waits in poll(2), carries packets, and ends when it is told to.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { openLibc } from "../../ffi/libc.ts";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { PacketPort } from "../../ffi/packet_port.ts";
import { Bell, PollSet } from "../../ffi/poll.ts";
import { BuiltinEngine } from "../crypto/builtin.ts";
import { OpensslEngine } from "../crypto/openssl.ts";
import type { LevelName } from "../log/level.ts";
import type { Logger } from "../log/logger.ts";
import { openPacketMemory } from "../offload/bytes.ts";
import { MAX_PIECES } from "../offload/group.ts";
import { Connections } from "./connection.ts";
import { ConnectionTable } from "./connection_table.ts";
import { INBOUND_ARENA_BYTES, InboundPump } from "./inbound_pump.ts";
import type { NativeSetup, WorkerMessage } from "./native_messages.ts";
import { OUTBOUND_ARENA_BYTES, OutboundPump } from "./outbound_pump.ts";
import { PlaneLog } from "./plane_log.ts";
import { PointToPoint } from "./point_to_point.ts";

/** How long log lines may be held back unsaid while nothing happens, in ms. */
const CONFESSION_MS = 10_000;

/** One direction: carries what there is, says whether there was anything. */
interface Pump {
  pump(): boolean;
}

function say(message: WorkerMessage): void {
  self.postMessage(message);
}

function carry(setup: NativeSetup): void {
  const libc = openLibc();
  const out = setup.direction !== "in";
  const into = setup.direction !== "out";
  const arena = new Arena(
    (out ? OUTBOUND_ARENA_BYTES : 0) + (into ? INBOUND_ARENA_BYTES : 0),
  );
  const engine = setup.engine === "openssl"
    ? new OpensslEngine(openLibcrypto(), arena)
    : new BuiltinEngine();
  const now = () => performance.now();
  const planeLog = new PlaneLog(postingLogger(), now);
  const connections = new Connections(
    new ConnectionTable(setup.connections),
    engine,
  );
  const common = {
    ...setup,
    libc,
    arena,
    engine,
    now,
    packets: openPacketMemory(arena.memory),
    port: new PacketPort(libc, arena, setup.device, MAX_PIECES),
  };
  const shared = {
    connections,
    deviceType: setup.deviceType,
    counters: new Float64Array(setup.counters),
  };

  const wait = new PollSet(libc, arena, 2 + setup.receiveFrom.length);
  wait.add(setup.bell);
  const pumps: Pump[] = [];
  if (out) {
    wait.add(setup.device);
    const chooser = new PointToPoint(connections, setup.mux);
    const { senderId } = setup;
    pumps.push(
      new OutboundPump({
        ...common,
        noSocket: (to) => planeLog.noSocket(to),
        outbound: { ...shared, chooser, senderId },
      }),
    );
  }
  if (into) {
    for (const fd of setup.receiveFrom) wait.add(fd);
    pumps.push(
      new InboundPump({
        ...common,
        sockets: setup.receiveFrom,
        inbound: { ...shared, events: planeLog, now },
      }),
    );
  }
  say({ kind: "ready" });
  runUntilStopped(pumps, wait, setup, new Bell(libc, setup.bell), planeLog);
  planeLog.flush();
}

function runUntilStopped(
  pumps: readonly Pump[],
  wait: PollSet,
  { stop }: NativeSetup,
  bell: Bell,
  planeLog: PlaneLog,
): void {
  const stopped = new Int32Array(stop);
  while (Atomics.load(stopped, 0) === 0) {
    let any = false;
    for (const pump of pumps) {
      if (pump.pump()) any = true;
    }
    if (any) continue;
    wait.wait(CONFESSION_MS);
    if (wait.ready(0) !== 0) bell.silence();
    planeLog.flushSometimes();
  }
}

function postingLogger(): Logger {
  const log = (level: LevelName) => (text: string) =>
    say({ kind: "log", level, text });
  return {
    error: log("error"),
    warning: log("warning"),
    notice: log("notice"),
    info: log("info"),
    debug: log("debug"),
  };
}

self.onmessage = ({ data }: MessageEvent<NativeSetup>) => {
  try {
    carry(data);
    say({ kind: "stopped" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say({ kind: "failed", reason });
  }
  self.close();
};
say({ kind: "loaded" });
