// Assembly of a worker from its setup.
//
// The warm-up goes through here as well: code that the runtime has compiled
// for its objects serves the real ones only if they have the same shapes. So
// hot paths keep to what is made here, and read no field of the setup, which
// has another shape when it comes as a message.
import { Arena } from "../../../ffi/memory.ts";
import { PacketPort } from "../../../ffi/tuntap/packet_port.ts";
import { EventFd, PollSet } from "../../../ffi/poll.ts";
import { openPacketMemory } from "../../offload/bytes.ts";
import { MAX_PIECES } from "../../offload/group.ts";
import { CarryLoop, type IdleWork } from "./loop.ts";
import { Connections, type SharedFloors } from "../connection.ts";
import { ConnectionTable } from "../connection_table.ts";
import { DeviceTurn } from "./device_turn.ts";
import { ENGINE_ARENA_BYTES, type EngineMaker } from "../engine_maker.ts";
import { INBOUND_ARENA_BYTES, InboundPump } from "./inbound_pump.ts";
import { count, PlaneCounter } from "../counters.ts";
import { LiveSettings } from "../live_settings.ts";
import type { NativeSetup, WorkerRole } from "./messages.ts";
import { OUTBOUND_ARENA_BYTES, OutboundPump } from "./outbound_pump.ts";
import type { WorkerParts } from "./parts.ts";
import { ThreadBeat } from "./thread_beat.ts";
import type { PlaneLog } from "../plane_log.ts";
import { type LockPatience, patience } from "../record_lock.ts";
import { type RefusedDatagram, RefusedSamples } from "../refused_samples.ts";
import { ReplayFloors } from "../replay_floors.ts";
import { boundedReplayMemory, openAcceptedMemory } from "../replay_bound.ts";

const ARENA_BYTES = OUTBOUND_ARENA_BYTES + INBOUND_ARENA_BYTES +
  ENGINE_ARENA_BYTES;

export interface WorkerContext
  extends Pick<WorkerParts, "libc" | "now" | "log" | "moved"> {
  readonly newEngine: EngineMaker;
  readonly refused: (refused: RefusedDatagram) => void;
  /** Longest rest of the loop, in milliseconds. */
  readonly maxRest: number;
  readonly idle: IdleWork;
}

export function assemble(
  setup: NativeSetup,
  context: WorkerContext,
): CarryLoop {
  const { libc, now, log, maxRest, idle } = context;
  const { role, device, receiveFrom: sockets } = setup;
  const parts = partsOf(setup, context);
  return new CarryLoop({
    wait: new PollSet(libc, parts.arena, 2 + sockets.length),
    wakeup: new EventFd(libc, setup.wakeup),
    device,
    outbound: role === "receive" ? NOTHING_OUT : new OutboundPump(setup, parts),
    inbound: carriesIn(role) ? new InboundPump(setup, parts) : undefined,
    sockets,
    connections: parts.connections,
    turn: role === "in" || role === "out"
      ? new DeviceTurn(
        role,
        setup.turn,
        new EventFd(libc, setup.otherWakeup),
        now,
      )
      : undefined,
    beat: new ThreadBeat(libc, setup.beat),
    ...{ maxRest, idle, now, log },
  });
}

/** Of a worker that reads no device. */
const NOTHING_OUT = { pump: () => false, drain() {}, sendDue() {} };

function carriesIn(role: WorkerRole): boolean {
  return role !== "out" && role !== "send";
}

function partsOf(
  setup: NativeSetup,
  { libc, newEngine, now, log, moved, refused }: WorkerContext,
): WorkerParts {
  const arena = new Arena(ARENA_BYTES);
  const engine = newEngine(arena);
  const { device, share, accepted, role } = setup;
  const counters = new Float64Array(setup.counters);
  const memory = boundedReplayMemory(counters, log, share?.of);
  const table = new ConnectionTable(
    setup.connections,
    undefined,
    share?.counters,
    patienceOf(setup, counters, log),
  );
  const kept = accepted && carriesIn(role)
    ? openAcceptedMemory(accepted, log, share)
    : undefined;
  return {
    ...{ libc, now, log, moved, arena, engine, counters },
    connections: new Connections(
      table,
      engine,
      memory,
      kept,
      sharedFloorsOf(setup),
    ),
    samples: new RefusedSamples(table, refused),
    live: new LiveSettings(setup.live),
    packets: openPacketMemory(arena.memory),
    port: new PacketPort(libc, arena, device, MAX_PIECES, share?.writeTo),
  };
}

function sharedFloorsOf(
  { floors, role, share }: NativeSetup,
): SharedFloors | undefined {
  if (floors === undefined || !carriesIn(role)) return undefined;
  const { index = 0, of = 1 } = share ?? {};
  return { floors: new ReplayFloors(floors), share: { index, of } };
}

/** Until the plane is to stop: the kernel keeps the packets meanwhile. */
function patienceOf(
  setup: NativeSetup,
  counters: Float64Array,
  log: PlaneLog,
): LockPatience {
  const stop = new Int32Array(setup.stop);
  const tell = (mux: number) => {
    count(counters, PlaneCounter.LONG_WAITS);
    log.waitsFor(mux);
  };
  return patience(tell, () => Atomics.load(stop, 0) !== 0);
}
