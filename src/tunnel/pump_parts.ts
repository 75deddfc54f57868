/**
 * How a pump is put together. Rehearsal and performance both use this, so that
 * their objects have the same shape: code compiled for the one then serves the
 * other.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import type { Arena } from "../../ffi/memory.ts";
import { PacketPort } from "../../ffi/packet_port.ts";
import { openPacketMemory } from "../offload/bytes.ts";
import { MAX_PIECES } from "../offload/group.ts";
import { RouteTable } from "../route/table.ts";
import type { SyncCryptoEngine } from "../satp/engine.ts";
import type { Connections } from "./connection.ts";
import type { SendSockets } from "./gso_sender.ts";
import type { InboundEvents } from "./inbound.ts";
import { InboundPump } from "./inbound_pump.ts";
import type { NativeSetup } from "./native_messages.ts";
import type { OutboundEvents } from "./outbound.ts";
import { OutboundPump } from "./outbound_pump.ts";
import type { PlaneLog } from "./plane_log.ts";
import { PointToPoint } from "./point_to_point.ts";
import { Routed } from "./routed.ts";

/** What both pumps of a worker share. */
export interface PumpParts {
  readonly setup: NativeSetup;
  readonly libc: Libc;
  readonly arena: Arena;
  readonly engine: SyncCryptoEngine;
  readonly connections: Connections;
  readonly counters: Float64Array;
  /** File descriptor of the device. */
  readonly device: number;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

/** The way out. */
export function outboundPump(
  parts: PumpParts,
  sockets: SendSockets,
  log: OutboundEvents & Pick<PlaneLog, "noSocket">,
): OutboundPump {
  const { setup, connections, counters } = parts;
  const { params, vnetHeader, gso, deviceType, senderIds, mux, routes } = setup;
  const chooser = routes === undefined
    ? new PointToPoint(connections, mux)
    : new Routed(connections, new RouteTable(routes));
  return new OutboundPump({
    ...sharedParts(parts),
    params,
    vnetHeader,
    gso,
    sockets: { ipv4: sockets.ipv4, ipv6: sockets.ipv6 },
    noSocket: (to) => log.noSocket(to),
    outbound: {
      ...{ connections, chooser, deviceType, senderIds, counters },
      events: log,
    },
  });
}

/** The way in. */
export function inboundPump(
  parts: PumpParts,
  sockets: readonly number[],
  events: InboundEvents,
): InboundPump {
  const { setup, connections, counters, now } = parts;
  const { params, vnetHeader, gro, coalesce } = setup;
  const { deviceType, fixedRemote } = setup;
  return new InboundPump({
    ...sharedParts(parts),
    params,
    vnetHeader,
    gro,
    coalesce,
    sockets: Int32Array.from(sockets),
    inbound: {
      ...{ connections, deviceType, fixedRemote, counters, events, now },
    },
  });
}

function sharedParts({ libc, arena, engine, device, now }: PumpParts) {
  return {
    libc,
    arena,
    engine,
    now,
    packets: openPacketMemory(arena.memory),
    port: new PacketPort(libc, arena, device, MAX_PIECES),
  };
}
