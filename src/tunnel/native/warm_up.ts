// Warm-up of a worker: a tunnel to itself over the loopback device, a few rounds
// before it carries real packets and the others while there are none. So the
// runtime compiles early, which makes packets three times faster.
import { SystemError } from "../../../ffi/errno.ts";
import { Arena } from "../../../ffi/memory.ts";
import { TunTapError } from "../../../ffi/tuntap/errors.ts";
import { PacketPort } from "../../../ffi/tuntap/packet_port.ts";
import { EventFd } from "../../../ffi/poll.ts";
import { SocketPair } from "../../../ffi/net/socket_pair.ts";
import { UdpSocket } from "../../../ffi/net/udp.ts";
import type { Logger } from "../../log/logger.ts";
import {
  GSO_TCPV4,
  VIRTIO_HEADER_SIZE,
  writePlainHeader,
  writeSuperHeader,
} from "../../offload/virtio.ts";
import { keyBytes, type Role, SALT_BYTES } from "../../satp/params.ts";
import { assemble, type WorkerContext } from "./assemble.ts";
import type { CarryLoop, IdleWork } from "./loop.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
  endpointWords,
} from "../connection_table.ts";
import { PLANE_COUNTERS } from "../counters.ts";
import { DeviceTurn } from "./device_turn.ts";
import { writeEndpoint } from "../endpoint_words.ts";
import type { NativeSetup } from "./messages.ts";
import { PlaneLog } from "../plane_log.ts";

/**
 * Of the warm-up before the warm-up: the first objects of a kind teach the
 * runtime what their fields hold, so that it does not compile for those alone.
 */
const FIRST_ROUNDS = 20;

const SUPER_EVERY = 40;

/** Rounds: the code that keys change by is there before they do. */
const KEYS_CHANGE_EVERY = 10;

/** Packets fed at a time: the first goes alone, the others as a batch. */
const PACKETS_PER_ROUND = 5;

/**
 * Of the loop, for what is fed at a time: a handful is enough, but any user of
 * this host may send to the loopback device.
 */
const MOST_LOOPS = 16;

const PING_BYTES = 84;
const SEGMENT_BYTES = 1348;
const SEGMENTS = 20;
const IP_TCP_BYTES = 40;
const ETHERNET_BYTES = 14;

const PACKET_ROOM = 80 << 10;

const ARENA_BYTES = 2 * PACKET_ROOM + 4096;

/**
 * The connection of the lowest mux seals, and the own mux goes into the header
 * (SATP section 8): so the connection that opens can have the other role.
 */
const SEALING_MUX = 0;
const OPENING_MUX = 1;

/** A library that does not work should say so before there are packets. */
const THROWING: Logger = {
  error(text) {
    throw new Error(text);
  },
  warning() {},
  notice() {},
  info() {},
  debug() {},
};

type WarmUpContext = Pick<WorkerContext, "libc" | "newEngine" | "now">;

/**
 * Warms up a little, and opens what the rest of it needs: later there may be no
 * right to.
 */
export function openWarmUp(
  setup: NativeSetup,
  context: WarmUpContext,
): WarmUp {
  const stop = new Int32Array(setup.stop);
  const open = (rounds: number) =>
    new WarmUp(rounds > 0 ? openTunnel(setup, context) : undefined, rounds);
  using first = open(FIRST_ROUNDS);
  while (!first.isDone && Atomics.load(stop, 0) === 0) first.step();
  return open(setup.warmUpRounds);
}

/** Without a loopback device the first packets are slower, and nothing else. */
function openTunnel(
  setup: NativeSetup,
  context: WarmUpContext,
): LoopbackTunnel | undefined {
  try {
    return new LoopbackTunnel(setup, context);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** Its sockets are the device as well. */
function isOfSystem(error: unknown): boolean {
  return error instanceof SystemError || error instanceof TunTapError;
}

interface WarmUpTunnel extends Disposable {
  /**
   * @throws {SystemError} if the kernel refuses what it is asked for
   * @throws {TunTapError} the same, of what stands in for the device
   */
  round(k: number): void;
}

/** Rounds of a tunnel that is closed after the last one. */
export class WarmUp implements IdleWork, Disposable {
  readonly #rounds: number;
  #tunnel: WarmUpTunnel | undefined;
  #next = 0;

  /** @param tunnel Without one there is nothing to do */
  constructor(tunnel: WarmUpTunnel | undefined, rounds: number) {
    this.#tunnel = tunnel;
    this.#rounds = rounds;
  }

  get isDone(): boolean {
    return this.#tunnel === undefined;
  }

  step(): void {
    try {
      this.#tunnel?.round(this.#next);
    } catch (error) {
      this[Symbol.dispose]();
      if (!isOfSystem(error)) throw error;
    }
    this.skip();
  }

  skip(): void {
    if (++this.#next >= this.#rounds) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#tunnel?.[Symbol.dispose]();
    this.#tunnel = undefined;
  }
}

/** A worker between a pair of sockets, instead of a device, and itself. */
class LoopbackTunnel implements Disposable {
  readonly #opened: DisposableStack;
  readonly #setup: NativeSetup;
  readonly #table = new ConnectionTable(ConnectionTable.allocate());
  readonly #arena = new Arena(ARENA_BYTES);
  readonly #fed: number;
  readonly #readBack: number;
  readonly #far: PacketPort;
  readonly #wakeup: EventFd;
  readonly #loop: CarryLoop;

  /** @throws {SystemError} if there is no loopback device */
  constructor(
    given: NativeSetup,
    { libc, newEngine, now }: WarmUpContext,
  ) {
    using opened = new DisposableStack();
    const pair = opened.use(new SocketPair(libc));
    const address = Uint8Array.of(127, 0, 0, 1);
    const socket = UdpSocket.open(libc, { address, port: 0, scope: 0 });
    opened.defer(() => socket.close());
    if (given.gro) socket.enableGro();
    if (given.locals) socket.tellLocalAddresses();
    this.#wakeup = EventFd.open(libc);
    opened.defer(() => this.#wakeup.close());
    putConnections(this.#table, given, socket);
    this.#setup = {
      ...setupOf(given, pair.near, socket, this.#wakeup.fd),
      connections: this.#table.shared,
    };
    this.#loop = assemble(this.#setup, {
      ...{ libc, newEngine, now },
      log: new PlaneLog(THROWING, now),
      moved: () => {},
      refused: () => {},
      maxRest: 0,
      idle: new WarmUp(undefined, 0),
    });
    this.#far = new PacketPort(libc, this.#arena, pair.far);
    this.#fed = this.#arena.take(PACKET_ROOM, 64);
    this.#readBack = this.#arena.take(PACKET_ROOM, 64);
    this.#opened = opened.move();
  }

  round(k: number): void {
    if (k % KEYS_CHANGE_EVERY === 0) {
      const key = k / KEYS_CHANGE_EVERY % 2;
      this.#table.put(SEALING_MUX, keysOf(this.#setup, "left", key), 0, "keep");
    }
    if (this.#setup.vnetHeader && k % SUPER_EVERY === 0) {
      this.#carry(writeSuperPacket(this.#setup, this.#arena, this.#fed), 1);
      return;
    }
    const version = k % 2 === 0 ? 4 : 6;
    const size = writePing(this.#setup, this.#arena, this.#fed, version);
    this.#carry(size, PACKETS_PER_ROUND);
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  #carry(size: number, copies: number): void {
    const { role, turn } = this.#setup;
    const far = this.#far;
    if (role === "in" || role === "out") DeviceTurn.assign(turn, role);
    for (let k = 0; k < copies; k++) far.write(this.#fed, size);
    for (let k = 0; k < MOST_LOOPS && !this.#loop.round(); k++);
    while (far.read(this.#readBack, PACKET_ROOM) > 0);
    this.#wakeup.signal();
    this.#loop.round();
  }
}

function setupOf(
  given: NativeSetup,
  device: number,
  socket: UdpSocket,
  wakeup: number,
): NativeSetup {
  const settings = { ...given.settings, mux: OPENING_MUX };
  return {
    ...given,
    role: given.role === "in" || given.role === "out" ? given.role : "all",
    share: undefined,
    settings,
    routes: undefined,
    accepted: undefined,
    beat: undefined,
    counters: new SharedArrayBuffer(PLANE_COUNTERS * 8),
    turn: DeviceTurn.allocate(),
    wakeup,
    otherWakeup: wakeup,
    device,
    sockets: { ipv4: socket.fd },
    receiveFrom: [socket.fd],
  };
}

function putConnections(
  table: ConnectionTable,
  setup: NativeSetup,
  socket: UdpSocket,
): void {
  const words = endpointWords();
  const address = { family: 4, bytes: socket.local.address } as const;
  writeEndpoint(words, 0, { address, port: socket.local.port });
  for (const mux of [SEALING_MUX, OPENING_MUX]) {
    const role = mux === SEALING_MUX ? "left" : "right";
    table.endpoints.set(mux, words, 0);
    table.put(mux, keysOf(setup, role, 0), 0);
    table.addOpening(mux, keysOf(setup, role, 1));
  }
}

function keysOf(
  { settings: { params } }: NativeSetup,
  role: Role,
  key: number,
): ConnectionKeys {
  const secrets = {
    key: new Uint8Array(keyBytes(params.kdPrf)).fill(key),
    salt: new Uint8Array(SALT_BYTES),
  };
  return { role, secrets, windowSize: 64 };
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
  return setup.settings.deviceType === "tap" ? ETHERNET_BYTES : 0;
}
