/**
 * What a worker of the native plane works with, put together from its setup:
 * one arena, one engine, and a pump for each direction.
 *
 * @module
 */
import { type Libc, openLibc } from "../../ffi/libc.ts";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { PacketPort } from "../../ffi/packet_port.ts";
import { PollSet } from "../../ffi/poll.ts";
import { OpensslEngine } from "../crypto/openssl.ts";
import { RouteTable } from "../route/table.ts";
import { openPacketMemory } from "../offload/bytes.ts";
import { MAX_PIECES } from "../offload/group.ts";
import type { SyncCryptoEngine } from "../satp/engine.ts";
import { Connections } from "./connection.ts";
import { ConnectionTable } from "./connection_table.ts";
import { INBOUND_ARENA_BYTES, InboundPump } from "./inbound_pump.ts";
import type { NativeEngineName, NativeSetup } from "./native_messages.ts";
import { OUTBOUND_ARENA_BYTES, OutboundPump } from "./outbound_pump.ts";
import type { PlaneLog } from "./plane_log.ts";
import { PointToPoint } from "./point_to_point.ts";
import { Routed } from "./routed.ts";

/** Ready to carry; all of it belongs to this thread. */
export interface Pumps {
  readonly libc: Libc;
  readonly pumps: readonly (OutboundPump | InboundPump)[];
  /** What the pumps wait for, with room for one more. */
  readonly wait: PollSet;
}

/**
 * Opens what the setup names.
 *
 * @param now A clock that never goes back, in milliseconds
 * @throws {LibcryptoError} if the engine is not to be had
 */
export async function openPumps(
  setup: NativeSetup,
  planeLog: PlaneLog,
  now: () => number,
): Promise<Pumps> {
  const { direction, receiveFrom, device, deviceType } = setup;
  const libc = openLibc();
  const arena = new Arena(OUTBOUND_ARENA_BYTES + INBOUND_ARENA_BYTES);
  const engine = await openEngine(setup.engine, arena);
  const table = new ConnectionTable(setup.connections);
  const connections = new Connections(table, engine);
  const counters = new Float64Array(setup.counters);
  const shared = { connections, deviceType, counters };
  const common = {
    ...setup,
    libc,
    arena,
    engine,
    now,
    packets: openPacketMemory(arena.memory),
    port: new PacketPort(libc, arena, device, MAX_PIECES),
  };
  const wait = new PollSet(libc, arena, 2 + receiveFrom.length);
  const pumps: (OutboundPump | InboundPump)[] = [];
  if (direction !== "in") {
    const chooser = setup.routes === undefined
      ? new PointToPoint(connections, setup.mux)
      : new Routed(connections, new RouteTable(setup.routes));
    const outbound = { ...shared, chooser, senderId: setup.senderId };
    const noSocket = planeLog.noSocket.bind(planeLog);
    pumps.push(new OutboundPump({ ...common, noSocket, outbound }));
    wait.add(device);
  }
  if (direction !== "out") {
    const inbound = { ...shared, events: planeLog, now };
    const sockets = receiveFrom;
    pumps.push(new InboundPump({ ...common, sockets, inbound }));
    for (const fd of receiveFrom) wait.add(fd);
  }
  return { libc, pumps, wait };
}

// node:crypto takes many megabytes in each thread: loaded only where used.
async function openEngine(
  name: NativeEngineName,
  arena: Arena,
): Promise<SyncCryptoEngine> {
  if (name === "openssl") return new OpensslEngine(openLibcrypto(), arena);
  const { BuiltinEngine } = await import("../crypto/builtin.ts");
  return new BuiltinEngine();
}
