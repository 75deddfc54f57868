/**
 * A data plane between a device and sockets that are only queues.
 *
 * @module
 */
import type { Endpoint } from "../../src/net/endpoint.ts";
import { parseEndpoint } from "../../src/net/endpoint.ts";
import type { CryptoEngine } from "../../src/satp/engine.ts";
import type { DeviceType } from "../../src/satp/payload.ts";
import type { Role, SatpParameters } from "../../src/satp/params.ts";
import type { MasterSecrets } from "../../src/satp/secrets.ts";
import { type Connection, Connections } from "../../src/tunnel/connection.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
} from "../../src/tunnel/counters.ts";
import {
  readEndpoint,
  writeEndpoint,
} from "../../src/tunnel/endpoint_words.ts";
import { PointToPoint } from "../../src/tunnel/point_to_point.ts";
import { PortablePlane } from "../../src/tunnel/portable_plane.ts";
import type {
  DatagramSocket,
  PacketDevice,
  Received,
} from "../../src/tunnel/seams.ts";

/** A queue that can be waited for. */
class Queue<T> {
  readonly items: T[] = [];
  #changed = Promise.withResolvers<void>();
  #open = true;

  push(item: T): void {
    this.items.push(item);
    this.#wake();
  }

  close(): void {
    this.#open = false;
    this.#wake();
  }

  /** Resolves with false once the queue is closed. */
  async filled(): Promise<boolean> {
    while (this.#open && this.items.length === 0) await this.#changed.promise;
    return this.#open;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** A device whose packets come from and go to arrays. */
export class MemoryDevice implements PacketDevice {
  readonly toRead = new Queue<Uint8Array>();
  readonly written: Uint8Array[] = [];

  read(into: Uint8Array<ArrayBuffer>): number {
    const packet = this.toRead.items.shift();
    if (packet === undefined) return 0;
    const size = Math.min(packet.length, into.length);
    into.set(packet.subarray(0, size));
    return size;
  }

  write(packet: Uint8Array<ArrayBuffer>): boolean {
    this.written.push(packet.slice());
    return true;
  }

  readable(): Promise<boolean> {
    return this.toRead.filled();
  }
}

/** A socket whose datagrams come from and go to arrays. */
export class MemorySocket implements DatagramSocket {
  readonly arrived = new Queue<{ datagram: Uint8Array; from: Endpoint }>();
  readonly sent: { datagram: Uint8Array; to: Endpoint }[] = [];

  reaches(): boolean {
    return true;
  }

  async receive(
    into: Uint8Array<ArrayBuffer>,
  ): Promise<Received | undefined> {
    if (!await this.arrived.filled()) return undefined;
    const next = this.arrived.items.shift();
    if (next === undefined) return undefined;
    const size = Math.min(next.datagram.length, into.length);
    into.set(next.datagram.subarray(0, size));
    return { size, from: next.from };
  }

  send(datagram: Uint8Array<ArrayBuffer>, to: Endpoint): Promise<boolean> {
    this.sent.push({ datagram: datagram.slice(), to });
    return Promise.resolve(true);
  }

  close(): void {
    this.arrived.close();
  }
}

/** How the plane and its one connection are set up. */
export interface MemoryPlaneOptions {
  readonly engine: CryptoEngine;
  readonly params: SatpParameters;
  readonly role: Role;
  readonly secrets: MasterSecrets;
  readonly mux?: number;
  readonly senderId?: number;
  readonly windowSize?: number;
  readonly deviceType?: DeviceType;
  /** `a.b.c.d:port` or `[v6]:port`; without it the peer is auto-detected. */
  readonly remote?: string;
}

/** A running plane with one connection. */
export class MemoryPlane implements AsyncDisposable {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly events: string[] = [];
  /** What the plane's clock shows, in milliseconds. */
  now = 1000;
  readonly #device = new MemoryDevice();
  readonly #socket = new MemorySocket();
  readonly #counters = new Float64Array(PLANE_COUNTERS);
  readonly #mux: number;
  readonly #connections: Connections;
  readonly #running: Promise<void>;

  /** Starts the plane. */
  static async start(options: MemoryPlaneOptions): Promise<MemoryPlane> {
    const { mux = 0, role, secrets, windowSize = 0 } = options;
    const plane = new MemoryPlane(options);
    const words = endpointWords();
    const { remote } = options;
    writeEndpoint(words, 0, remote ? endpointOf(remote) : undefined);
    plane.table.setEndpoint(mux, words, 0);
    plane.table.put(mux, { role, secrets, windowSize }, 0);
    await plane.#connections.load(mux);
    return plane;
  }

  private constructor(options: MemoryPlaneOptions) {
    this.#mux = options.mux ?? 0;
    const connections = new Connections(this.table, options.engine);
    this.#connections = connections;
    const shared = {
      connections,
      deviceType: options.deviceType ?? "tun",
      counters: this.#counters,
    };
    this.#running = new PortablePlane({
      params: options.params,
      engine: options.engine,
      device: this.#device,
      sockets: [this.#socket],
      outbound: {
        ...shared,
        chooser: new PointToPoint(connections, this.#mux),
        senderId: options.senderId ?? 0,
      },
      inbound: { ...shared, events: this.#events(), now: () => this.now },
      noSocket: () => this.events.push("no socket"),
    }).run();
  }

  /** Lets datagrams arrive; returns the packets that reach the device. */
  async receive(
    datagrams: readonly Uint8Array[],
    from: string,
  ): Promise<Uint8Array[]> {
    const done = this.#handled() + datagrams.length;
    const already = this.#device.written.length;
    for (const datagram of datagrams) {
      this.#socket.arrived.push({ datagram, from: endpointOf(from) });
    }
    await this.#until(done);
    return this.#device.written.slice(already);
  }

  /** Lets the device hand over packets; returns the datagrams that are sent. */
  async send(
    packets: readonly Uint8Array[],
  ): Promise<{ datagram: Uint8Array; to: Endpoint }[]> {
    const done = this.#handled() + packets.length;
    const already = this.#socket.sent.length;
    for (const packet of packets) this.#device.toRead.push(packet);
    await this.#until(done);
    return this.#socket.sent.slice(already);
  }

  /** The endpoint on record. */
  get remote(): Endpoint | undefined {
    const words = endpointWords();
    this.table.copyEndpoint(this.#mux, words, 0);
    return readEndpoint(words, 0);
  }

  /** A counter of the connection. */
  connectionCounter(index: number): number {
    return this.table.counters(this.#mux)[index] ?? 0;
  }

  /** A counter of the plane. */
  planeCounter(index: number): number {
    return this.#counters[index] ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#device.toRead.close();
    this.#socket.close();
    await this.#running;
  }

  #events() {
    return {
      wrongTag: () => this.events.push("wrong tag"),
      replay: (_: Connection, seq: number, senderId: number) =>
        this.events.push(`replay ${seq} ${senderId}`),
      endpointChanged: (_: Connection, first: boolean) =>
        this.events.push(first ? "first endpoint" : "endpoint changed"),
    };
  }

  // Each packet and datagram moves exactly one packet counter.
  #handled(): number {
    const counters = this.table.counters(this.#mux);
    const byteCounters = this.connectionCounter(ConnectionCounter.BYTES_OUT) +
      this.connectionCounter(ConnectionCounter.BYTES_IN);
    return counters.reduce((a, b) => a + b, 0) - byteCounters +
      this.#counters.reduce((a, b) => a + b, 0);
  }

  async #until(handled: number): Promise<void> {
    const { PACKETS_OUT, PACKETS_IN } = ConnectionCounter;
    while (
      this.#handled() < handled ||
      this.#socket.sent.length < this.connectionCounter(PACKETS_OUT) ||
      this.#device.written.length < this.connectionCounter(PACKETS_IN)
    ) await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function endpointOf(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new Error(`Cannot parse ${text}`);
  return endpoint;
}
