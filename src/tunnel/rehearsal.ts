/**
 * A tunnel to itself, for a moment, before a worker carries real packets: so
 * the first of those meet code that the runtime has already compiled, which
 * makes them three times faster. Nothing of it leaves the loopback device.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import type { Arena } from "../../ffi/memory.ts";
import { PacketPort } from "../../ffi/packet_port.ts";
import { Bell, PollSet } from "../../ffi/poll.ts";
import { SocketPair } from "../../ffi/socket_pair.ts";
import { UdpSocket } from "../../ffi/udp.ts";
import type { Logger } from "../log/logger.ts";
import {
  GSO_TCPV4,
  VIRTIO_HEADER_SIZE,
  writePlainHeader,
  writeSuperHeader,
} from "../offload/virtio.ts";
import type { SyncCryptoEngine } from "../satp/engine.ts";
import { keyBytes, type Role, SALT_BYTES } from "../satp/params.ts";
import { CarryLoop } from "./carry_loop.ts";
import { Connections } from "./connection.ts";
import { ConnectionTable, endpointWords } from "./connection_table.ts";
import { PLANE_COUNTERS } from "./counters.ts";
import { writeEndpoint } from "./endpoint_words.ts";
import { DeviceTurn } from "./device_turn.ts";
import type { NativeSetup } from "./native_messages.ts";
import { inboundPump, outboundPump, type PumpParts } from "./pump_parts.ts";
import { PlaneLog } from "./plane_log.ts";

/** Every so many rounds there is a super-packet as well. */
const SUPER_EVERY = 40;

/** Packets fed at a time: the first goes alone, the others as a batch. */
const PACKETS_A_ROUND = 5;

const PING_BYTES = 84;
const SEGMENT_BYTES = 1348;
const SEGMENTS = 20;
const IP_TCP_BYTES = 40;
const ETHERNET_BYTES = 14;

/** Nothing is wrong here that anybody should know. */
const SILENT: Logger = {
  error() {},
  warning() {},
  notice() {},
  info() {},
  debug() {},
};

/** A library that cannot do it should say so before there are packets. */
class RehearsalLog extends PlaneLog {
  override batchFailed(error: unknown): void {
    throw error;
  }
}

/** What a rehearsal uses; all of it is forgotten afterwards. */
export interface RehearsalParts {
  readonly libc: Libc;
  /** Room for both pumps and a super-packet. */
  readonly arena: Arena;
  readonly engine: SyncCryptoEngine;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

/** Bytes of the arena for what is fed and read back, beside the pumps. */
export const REHEARSAL_BYTES = 192 << 10;

/**
 * Carries made-up packets out and in again with the parameters of a setup.
 *
 * @throws {SystemError} if there is no loopback device
 */
export function rehearse(
  given: NativeSetup,
  rounds: number,
  parts: RehearsalParts,
): void {
  const { libc, arena } = parts;
  using pair = new SocketPair(libc);
  const loopback = Uint8Array.of(127, 0, 0, 1);
  const socket = UdpSocket.open(libc, {
    address: loopback,
    port: 0,
    scope: 0,
  });
  using cleanup = new DisposableStack();
  cleanup.defer(() => socket.close());
  const bell = Bell.open(libc);
  cleanup.defer(() => bell.close());
  if (given.gro) socket.enableGro();
  const setup = { ...given, routes: undefined };
  const loop = newLoop(setup, parts, pair.near, socket, bell);
  const far = new PacketPort(libc, arena, pair.far);
  const fed = arena.take(REHEARSAL_BYTES / 2, 64);
  const readBack = arena.take(REHEARSAL_BYTES / 2 - 64, 64);
  const carry = (size: number, copies: number): void => {
    for (let k = 0; k < copies; k++) far.write(fed, size);
    while (!loop.round());
    while (far.read(readBack, REHEARSAL_BYTES / 2 - 64) > 0);
    bell.ring();
    loop.round();
  };
  for (let k = 0; k < rounds; k++) {
    const version = k % 2 === 0 ? 4 : 6;
    carry(writePing(setup, arena, fed, version), PACKETS_A_ROUND);
    if (setup.vnetHeader && k % SUPER_EVERY === 0) {
      carry(writeSuperPacket(setup, arena, fed), 1);
    }
  }
}

function newLoop(
  setup: NativeSetup,
  parts: RehearsalParts,
  device: number,
  socket: UdpSocket,
  bell: Bell,
): CarryLoop {
  const { libc, arena, now } = parts;
  const log = new RehearsalLog(SILENT, now);
  const leaving = partsOf(setup, parts, device, "left", socket);
  return new CarryLoop({
    wait: new PollSet(libc, arena, 3),
    bell,
    device,
    outbound: outboundPump(leaving, { ipv4: socket.fd }, log),
    inbound: setup.role === "out" ? undefined : inboundPump(
      partsOf(setup, parts, device, "right", socket),
      [socket.fd],
      log,
    ),
    sockets: [socket.fd],
    connections: leaving.connections,
    turn: new DeviceTurn("in", DeviceTurn.allocate(), bell, now),
    patience: 0,
    log,
  });
}

function partsOf(
  setup: NativeSetup,
  { libc, arena, engine, now }: RehearsalParts,
  device: number,
  role: Role,
  socket: UdpSocket,
): PumpParts {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const words = endpointWords();
  const address = { family: 4, bytes: socket.local.address } as const;
  writeEndpoint(words, 0, { address, port: socket.local.port });
  table.setEndpoint(setup.mux, words, 0);
  const key = new Uint8Array(keyBytes(setup.params.kdPrf));
  const secrets = { key, salt: new Uint8Array(SALT_BYTES) };
  table.put(setup.mux, { role, secrets, windowSize: 64 }, 0);
  return {
    setup,
    libc,
    arena,
    engine,
    connections: new Connections(table, engine),
    counters: new Float64Array(PLANE_COUNTERS),
    device,
    now,
  };
}

// A packet of a protocol that nobody looks into.
function writePing(
  setup: NativeSetup,
  { view, bytes }: Arena,
  at: number,
  version: 4 | 6,
): number {
  const header = setup.vnetHeader ? VIRTIO_HEADER_SIZE : 0;
  if (setup.vnetHeader) writePlainHeader(view, at);
  const ip = at + header + linkBytes(setup);
  bytes.fill(0, ip, ip + PING_BYTES);
  if (version === 4) {
    view.setUint16(ip, 0x4500);
    view.setUint16(ip + 2, PING_BYTES);
    view.setUint16(ip + 8, 0x4001);
  } else {
    view.setUint16(ip, 0x6000);
    view.setUint16(ip + 4, PING_BYTES - 40);
    view.setUint16(ip + 6, 0x3a40);
  }
  return ip + PING_BYTES - at;
}

// TCP over IPv4, addresses and ports zero: segmented, sealed, opened, and
// coalesced again. The segmenter uses its headers up.
function writeSuperPacket(
  setup: NativeSetup,
  arena: Arena,
  at: number,
): number {
  const { view, bytes } = arena;
  const link = linkBytes(setup);
  const size = IP_TCP_BYTES + SEGMENTS * SEGMENT_BYTES;
  const ip = at + VIRTIO_HEADER_SIZE + link;
  bytes.fill(0, at, ip + IP_TCP_BYTES);
  writeSuperHeader(
    view,
    at,
    GSO_TCPV4,
    link + IP_TCP_BYTES,
    SEGMENT_BYTES,
    link + 20,
    16,
  );
  view.setUint8(at, 0); // the checksum is not begun
  if (link > 0) view.setUint16(ip - 2, 0x0800);
  view.setUint16(ip, 0x4500);
  view.setUint16(ip + 2, size);
  view.setUint16(ip + 6, 0x4000); // don't fragment
  view.setUint16(ip + 8, 0x4006);
  view.setUint16(ip + 20 + 12, 0x5010); // five words, ACK
  return ip + size - at;
}

function linkBytes(setup: NativeSetup): number {
  return setup.deviceType === "tap" ? ETHERNET_BYTES : 0;
}
