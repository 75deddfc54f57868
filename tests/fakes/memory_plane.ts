/**
 * A data plane between a device and sockets that are only queues.
 *
 * @module
 */
import { portableEngine } from "../../src/tunnel/portable/engine.ts";
import type { OpenedEngine } from "../../src/tunnel/portable/builder.ts";
import {
  type Endpoint,
  formatEndpoint,
  parseEndpoint,
} from "../../src/net/endpoint.ts";
import type { CryptoEngine } from "../../src/satp/engine.ts";
import { Connections } from "../../src/tunnel/connection.ts";
import {
  type ConnectionKeys,
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
import type { NativeEngineName } from "../../src/tunnel/native/messages.ts";
import { LiveSettings } from "../../src/tunnel/live_settings.ts";
import { TOO_BIG_BYTES } from "../../src/offload/too_big.ts";
import { PlaneLog } from "../../src/tunnel/plane_log.ts";
import { PacketRouter } from "../../src/tunnel/packet_router.ts";
import {
  type RefusedDatagram,
  RefusedSamples,
} from "../../src/tunnel/refused_samples.ts";
import { sourceFilterOf } from "../../src/tunnel/source_filter.ts";
import { PortablePlane } from "../../src/tunnel/portable/plane.ts";
import type {
  DatagramSocket,
  PacketDevice,
  Received,
} from "../../src/tunnel/portable/edges.ts";
import {
  handledPackets,
  type PeerName,
  type PlaneOptions,
  type PlaneUnderTest,
  type SentDatagram,
} from "./plane_rig.ts";
import { recordingLog } from "./recording_log.ts";
import { until } from "../../lab/until.ts";

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
  /** Why it sends nothing, such as `EPERM`. */
  failure: string | undefined;

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

  send(
    datagram: Uint8Array<ArrayBuffer>,
    to: Endpoint,
  ): Promise<string | undefined> {
    if (this.failure === undefined) {
      this.sent.push({ datagram: datagram.slice(), to });
    }
    return Promise.resolve(this.failure);
  }

  close(): void {
    this.arrived.close();
  }
}

const PEERS: Readonly<Record<PeerName, string>> = {
  home: "192.0.2.1:4444",
  away: "[2001:db8::7]:5555",
  attacker: "198.51.100.6:6666",
};

/** How a portable plane is set up. */
export interface MemoryPlaneOptions extends PlaneOptions {
  readonly engine?: NativeEngineName | "webcrypto";
  /** Puts something between the plane and the engine. */
  readonly wrap?: (engine: CryptoEngine) => CryptoEngine;
}

/** A running plane whose clock the test can move. */
export class MemoryPlane implements PlaneUnderTest {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly moved: number[] = [];
  readonly refused: RefusedDatagram[] = [];
  /** What the plane's clock shows, in milliseconds. */
  now = 1000;
  readonly #device = new MemoryDevice();
  readonly #socket = new MemorySocket();
  readonly #log = recordingLog();
  readonly #planeLog: PlaneLog;
  readonly #counters = new Float64Array(PLANE_COUNTERS);
  readonly #muxes = new Set<number>();
  readonly #connections: Connections;
  readonly #plane: PortablePlane;
  readonly #running: Promise<void>;

  /** Starts the plane. */
  static async start(options: MemoryPlaneOptions): Promise<MemoryPlane> {
    const { mux = 0, role, secrets, windowSize = 0, remote } = options;
    const openEngine = portableEngine(
      options.engine ?? "webcrypto",
      () => performance.now(),
    );
    const opened = openEngine(options.params);
    const { wrap = (engine: CryptoEngine) => engine } = options;
    const engine = wrap(opened.engine);
    const plane = new MemoryPlane(options, { ...opened, engine });
    await plane.connect(mux, { role, secrets, windowSize }, remote);
    return plane;
  }

  private constructor(options: PlaneOptions, opened: OpenedEngine) {
    const { params, mux = 0, senderIds = [0], deviceType = "tun" } = options;
    const { engine } = opened;
    const connections = new Connections(this.table, engine);
    const now = () => this.now;
    const log = new PlaneLog(this.#log, now);
    this.#planeLog = log;
    const { live = new LiveSettings() } = options;
    this.#connections = connections;
    const answer = new Uint8Array(TOO_BIG_BYTES);
    const deliver = (size: number) => {
      this.#device.write(answer.subarray(0, size));
    };
    this.#plane = new PortablePlane({
      engine,
      connections,
      counters: this.#counters,
      live,
      log,
      device: this.#device,
      sockets: [this.#socket],
      moved: (mux) => this.moved.push(mux),
      samples: new RefusedSamples(
        this.table,
        (refused) => this.refused.push(refused),
      ),
      now,
    }, {
      params,
      newBatch: opened.newBatch,
      deviceType,
      mtuDiscovery: options.mtuDiscovery,
      answers: { memory: answer, at: 0, deliver, now },
      router: new PacketRouter(connections, mux, options.routes),
      senderIds,
      allowWrap: options.allowWrap ?? false,
      roaming: options.roaming ?? true,
      filter: sourceFilterOf(
        { deviceType, anySource: options.anySource ?? false },
        options.routes,
      ),
    });
    this.#running = this.#plane.run();
  }

  async connect(
    mux: number,
    keys: ConnectionKeys,
    remote?: PeerName,
  ): Promise<void> {
    const words = endpointWords();
    writeEndpoint(words, 0, remote && endpointOf(remote));
    this.table.endpoints.set(mux, words, 0);
    this.table.put(mux, keys, 0);
    this.#muxes.add(mux);
    await this.prepare(mux);
  }

  async prepare(mux: number): Promise<void> {
    await this.#connections.load(mux);
  }

  /** Has the socket refuse to send, such as by `EPERM`. */
  refuseToSend(failure: string | undefined): void {
    this.#socket.failure = failure;
  }

  sendDue(): void {
    void this.#plane.sendDue();
  }

  async receive(
    datagrams: readonly Uint8Array[],
    from: PeerName,
  ): Promise<Uint8Array[]> {
    const done = this.#handled() + datagrams.length;
    const already = this.#device.written.length;
    this.inject(datagrams, from);
    await this.#until(done);
    return this.#device.written.slice(already);
  }

  async send(packets: readonly Uint8Array[]): Promise<SentDatagram[]> {
    const done = this.#handled() + packets.length;
    const already = this.#socket.sent.length;
    this.offer(packets);
    await this.#until(done);
    return this.#socket.sent.slice(already).map(({ datagram, to }) => ({
      datagram,
      to: nameOf(to),
    }));
  }

  inject(datagrams: readonly Uint8Array[], from: PeerName): void {
    for (const datagram of datagrams) {
      this.#socket.arrived.push({ datagram, from: endpointOf(from) });
    }
  }

  offer(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#device.toRead.push(packet);
  }

  outcome(): ReturnType<PlaneUnderTest["outcome"]> {
    const sent = this.#socket.sent.map(({ datagram, to }) => ({
      datagram,
      to: nameOf(to),
    }));
    return { sent, packets: this.#device.written };
  }

  remote(mux = this.#firstMux): PeerName | undefined {
    const words = endpointWords();
    this.table.endpoints.copy(mux, words, 0);
    const endpoint = readEndpoint(words, 0);
    return endpoint && nameOf(endpoint);
  }

  connectionCounter(index: number, mux = this.#firstMux): number {
    return this.table.counters.of(mux)[index] ?? 0;
  }

  planeCounter(index: number): number {
    return this.#counters[index] ?? 0;
  }

  async stop(): Promise<readonly string[]> {
    this.#device.toRead.close();
    this.#socket.close();
    await this.#running;
    this.#planeLog.flush();
    return this.#log.lines.map((line) => {
      let named = line;
      for (const [name, endpoint] of Object.entries(PEERS)) {
        named = named.replaceAll(endpoint, name);
      }
      return named;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #firstMux(): number {
    const [first = 0] = this.#muxes;
    return first;
  }

  #handled(): number {
    const counters = [...this.#muxes].map((mux) => this.table.counters.of(mux));
    return handledPackets(counters, this.#counters);
  }

  #sum(index: number): number {
    return [...this.#muxes].reduce(
      (sum, mux) => sum + this.connectionCounter(index, mux),
      0,
    );
  }

  async #until(handled: number): Promise<void> {
    const { KEEPALIVES_OUT, PACKETS_OUT, PACKETS_IN } = ConnectionCounter;
    await until(
      () => `packets are handled, but ${this.#handled()} of ${handled}`,
      60,
      () =>
        this.#handled() >= handled &&
        this.#socket.sent.length >=
          this.#sum(PACKETS_OUT) + this.#sum(KEEPALIVES_OUT) &&
        this.#device.written.length >= this.#sum(PACKETS_IN),
    );
  }
}

function endpointOf(name: PeerName): Endpoint {
  const endpoint = parseEndpoint(PEERS[name]);
  if (endpoint === undefined) throw new Error(`Cannot find ${name}`);
  return endpoint;
}

function nameOf(endpoint: Endpoint): PeerName {
  const text = formatEndpoint(endpoint);
  for (const name of ["home", "away", "attacker"] as const) {
    if (PEERS[name] === text) return name;
  }
  throw new Error(`Cannot name ${text}: it is no peer`);
}
