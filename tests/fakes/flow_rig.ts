/**
 * Workers by flow with real sockets on the loopback device, each with a pair of
 * sockets in the place of its queue of a TUN device: without root.
 *
 * @module
 */
import { type Libc, openLibc } from "../../ffi/libc.ts";
import type { UdpSocket } from "../../ffi/net/udp.ts";
import { openUdpGroup } from "../../ffi/net/udp_group.ts";
import { Routes } from "../../src/route/routes.ts";
import { RouteTable } from "../../src/route/table.ts";
import { MUX_AT } from "../../src/satp/header.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
  endpointWords,
} from "../../src/tunnel/connection_table.ts";
import { ConnectionCounter } from "../../src/tunnel/counters.ts";
import { writeEndpoint } from "../../src/tunnel/endpoint_words.ts";
import { crewOf, membersOf } from "../../src/tunnel/native/crew.ts";
import { NativePlane } from "../../src/tunnel/native/plane.ts";
import { PairDevice } from "./native_rig_device.ts";
import { LoopbackPeer } from "./native_rig_peer.ts";
import { until } from "../../lab/until.ts";
import { handledPackets } from "./plane_rig.ts";
import { recordingLog } from "./recording_log.ts";
import { tunnelSettings } from "./tunnel_settings.ts";

/** How workers by flow are set up. */
export interface FlowRigOptions {
  readonly workers: number;
  readonly senderIds: readonly number[];
  /** Of the connections with the muxes from 0 on. */
  readonly connections: readonly ConnectionKeys[];
}

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

/** An IPv4 packet to and from the network behind the peer of a connection. */
export function packetTo(mux: number, number: number): Uint8Array {
  const packet = new Uint8Array(40).with(0, 0x45).with(3, 40).with(8, 64);
  const view = new DataView(packet.buffer);
  const network = [10, mux >> 8, mux & 0xff];
  packet.set([...network, 2, ...network, 1], 12);
  view.setUint32(36, number);
  return packet;
}

/** Running workers by flow, with one peer for all connections. */
export class FlowRig implements AsyncDisposable {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly plane: NativePlane;
  readonly finished: Promise<void>;
  /** One for each worker that reads or writes. */
  readonly devices: readonly PairDevice[];
  /** What was written to them. */
  readonly packets: Uint8Array[] = [];
  readonly sent: Uint8Array[] = [];
  readonly #libc: Libc;
  readonly #sockets: readonly UdpSocket[];
  readonly #peer: LoopbackPeer;
  readonly #options: FlowRigOptions;

  /** Starts the workers. */
  static async start(options: FlowRigOptions): Promise<FlowRig> {
    const libc = openLibc();
    const plane = await NativePlane.load(libc, options.workers);
    const rig = new FlowRig(libc, plane, options);
    await rig.#start();
    return rig;
  }

  private constructor(
    libc: Libc,
    plane: NativePlane,
    options: FlowRigOptions,
  ) {
    this.#libc = libc;
    const { workers, senderIds, connections } = options;
    this.plane = plane;
    this.#options = options;
    this.finished = plane.finished();
    this.finished.catch(() => {});
    const { receivers = 1 } = crewOf(workers, senderIds.length) ?? {};
    this.devices = Array.from(
      { length: workers },
      () => new PairDevice(this.#libc),
    );
    const local = { address: LOOPBACK, port: 0, scope: 0 };
    this.#sockets = openUdpGroup(this.#libc, local, receivers, MUX_AT);
    for (const socket of this.#sockets) socket.enableGro();
    this.#peer = new LoopbackPeer(this.#libc, LOOPBACK);
    const words = endpointWords();
    writeEndpoint(words, 0, this.#peer.endpoint);
    connections.forEach((keys, mux) => {
      this.table.endpoints.set(mux, words, 0);
      this.table.put(mux, keys, 0);
    });
  }

  /** Lets the device of each worker hand over packets, and waits for the end. */
  async send(...queues: readonly (readonly Uint8Array[])[]): Promise<void> {
    const expected = this.handled + queues.flat().length;
    const most = Math.max(...queues.map(({ length }) => length));
    for (let k = 0; k < most; k++) {
      queues.forEach((packets, device) => {
        const packet = packets[k];
        if (packet === undefined) return;
        if (this.devices[device]?.handOver(packet)) return;
        throw new Error("the device is full");
      });
    }
    await this.#settle(expected);
  }

  /** Lets runs of datagrams arrive, each as one message of the kernel. */
  async receive(runs: readonly (readonly Uint8Array[])[]): Promise<void> {
    const [socket] = this.#sockets;
    if (socket === undefined) throw new Error("there is no socket");
    for (const run of runs) {
      const expected = this.handled + run.length;
      this.#peer.send(run, socket.local);
      await this.#settle(expected);
    }
  }

  /** How many packets and datagrams the workers are done with. */
  get handled(): number {
    const counted = this.#options.connections.map((_, mux) =>
      this.table.counters.sum(mux)
    );
    return handledPackets(counted, this.plane.counters());
  }

  /** A counter of all connections and workers together. */
  counted(index: number): number {
    return this.#options.connections.reduce(
      (sum, _, mux) => sum + (this.table.counters.sum(mux)[index] ?? 0),
      0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plane.stop();
    await Promise.allSettled([this.finished]);
    for (const device of this.devices) device.close();
    for (const socket of this.#sockets) socket.close();
    this.#peer.close();
    this.#libc.close();
  }

  async #start(): Promise<void> {
    const { workers, senderIds, connections } = this.#options;
    const settings = tunnelSettings({ senderIds, routing: true });
    const crew = crewOf(workers, senderIds.length);
    if (crew === undefined) throw new Error("these are no workers by flow");
    const files = this.devices.map(({ fd }) => fd);
    const queues = { readFrom: files, writeTo: files };
    const sockets = this.#sockets.map(({ fd }) => {
      return { send: { ipv4: fd }, receiveFrom: [fd] };
    });
    const routes = new Routes();
    const table = new RouteTable(RouteTable.allocate());
    connections.forEach((_, mux) => {
      const bytes = Uint8Array.of(10, mux >> 8, mux & 0xff, 0);
      const network = { family: 4, bytes } as const;
      routes.put({ network, prefixLength: 24, mux });
    });
    routes.publish(table);
    await this.plane.start({
      settings,
      engine: "builtin",
      connections: this.table.shared,
      routes: table.shared,
      accepted: undefined,
      device: -1,
      sockets: {},
      receiveFrom: [],
      vnetHeader: false,
      gso: true,
      gro: true,
      locals: false,
      coalesce: { tcp: false, udp: false },
      warmUpRounds: 0,
      crew: membersOf(crew, settings, queues, sockets, this.table),
    }, { logger: recordingLog(), moved: () => {} });
  }

  async #settle(expected: number): Promise<void> {
    await until(
      () => `packets are handled, but ${this.handled} of ${expected}`,
      60,
      () => this.handled >= expected,
    );
    const { PACKETS_IN, PACKETS_OUT } = ConnectionCounter;
    // Counted before it is written.
    await until("what was counted comes out", 60, () => {
      this.packets.push(...this.devices.flatMap((device) => device.taken()));
      this.sent.push(...this.#peer.received());
      return this.packets.length >= this.counted(PACKETS_IN) &&
        this.sent.length >= this.counted(PACKETS_OUT);
    });
  }
}
