/**
 * The native plane with real workers and real sockets on the loopback device,
 * but between a pair of sockets instead of a TUN device: without root.
 *
 * @module
 */
import type { RefusedDatagram } from "../../src/tunnel/refused_samples.ts";
import { type Libc, openLibc } from "../../ffi/libc.ts";
import type { UdpSocket } from "../../ffi/net/udp.ts";
import { type Endpoint, formatEndpoint } from "../../src/net/endpoint.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
  endpointWords,
} from "../../src/tunnel/connection_table.ts";
import { ConnectionCounter, PlaneCounter } from "../../src/tunnel/counters.ts";
import {
  readEndpoint,
  writeEndpoint,
} from "../../src/tunnel/endpoint_words.ts";
import type { NativeEngineName } from "../../src/tunnel/native/messages.ts";
import {
  type NativeOptions,
  NativePlane,
} from "../../src/tunnel/native/plane.ts";
import {
  duplicate,
  PairDevice,
  replaceDescriptor,
} from "./native_rig_device.ts";
import { LoopbackPeer, openOn } from "./native_rig_peer.ts";
import {
  handledPackets,
  type PeerName,
  type PlaneOptions,
  type PlaneUnderTest,
  type SentDatagram,
} from "./plane_rig.ts";
import { recordingLog } from "./recording_log.ts";
import { plain, segmentsOf } from "../../lab/super_packets.ts";
import { tunnelSettings } from "./tunnel_settings.ts";
import { until } from "../../lab/until.ts";

/** How a native plane is set up; without an offload named it has none. */
export interface NativeRigOptions extends PlaneOptions {
  readonly engine: NativeEngineName;
  readonly workers: 1 | 2;
  readonly vnetHeader?: boolean;
  readonly gso?: boolean;
  readonly gro?: boolean;
  readonly coalesceTcp?: boolean;
  readonly coalesceUdp?: boolean;
  /** Whether its sockets tell the class of what they receive. */
  readonly classes?: boolean;
  /** What the main thread of the plane calls. */
  readonly libc?: Libc;
  /** Called before the workers carry: what it sends is there at once. */
  readonly beforeStart?: (rig: NativeRig) => void;
}

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const LOOPBACK6 = new Uint8Array(16).with(15, 1);
const O_RDONLY = 0;

/** How much may be on its way at a time, less than any buffer here holds. */
const BURST_BYTES = 48 << 10;

/** A running native plane. */
export class NativeRig implements PlaneUnderTest {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  /** What was written to the device, as it was: with virtio headers, if any. */
  readonly written: Uint8Array[] = [];
  readonly moved: number[] = [];
  readonly refused: RefusedDatagram[] = [];
  readonly device: PairDevice;
  readonly plane: NativePlane;
  /** Settles when the plane ends; see {@link NativePlane.finished}. */
  readonly finished: Promise<void>;
  readonly #libc: Libc;
  readonly #ownsLibc: boolean;
  readonly #sockets: readonly UdpSocket[];
  readonly #receiveFrom: readonly number[];
  readonly #peers: Readonly<Record<PeerName, LoopbackPeer>>;
  readonly #vnetHeader: boolean;
  readonly #log: ReturnType<typeof recordingLog>;
  readonly #muxes = new Set<number>();
  readonly #packets: Uint8Array[] = [];
  /** Classes of traffic of what was sent. */
  readonly classes: number[] = [];
  readonly #sent: SentDatagram[] = [];

  /** Starts the plane. */
  static async start(options: NativeRigOptions): Promise<NativeRig> {
    const libc = options.libc ?? openLibc();
    const plane = await NativePlane.load(libc, options.workers);
    const rig = new NativeRig(libc, plane, options);
    const { mux = 0, role, secrets, windowSize = 0, remote } = options;
    await rig.connect(mux, { role, secrets, windowSize }, remote);
    if (options.gro) { for (const socket of rig.#sockets) socket.enableGro(); }
    if (options.classes) rig.#sockets.forEach((one) => one.tellClasses());
    options.beforeStart?.(rig);
    try {
      await plane.start(rig.#nativeOptions(options), {
        logger: rig.#log,
        moved: (mux) => rig.moved.push(mux),
        refused: (refused) => rig.refused.push(refused),
      });
    } catch (error) {
      rig.#close();
      throw error;
    }
    return rig;
  }

  private constructor(
    libc: Libc,
    plane: NativePlane,
    options: NativeRigOptions,
  ) {
    this.#libc = libc;
    this.#ownsLibc = options.libc === undefined;
    this.plane = plane;
    this.#vnetHeader = options.vnetHeader ?? false;
    this.#log = recordingLog();
    this.device = new PairDevice(libc);
    const families = hasIpv6(libc) ? [LOOPBACK, LOOPBACK6] : [LOOPBACK];
    this.#sockets = families.map((address) => openOn(libc, address));
    this.#receiveFrom = this.#sockets.map(({ fd }) => duplicate(fd));
    this.#peers = {
      home: new LoopbackPeer(libc, LOOPBACK),
      away: new LoopbackPeer(libc, families[1] ?? LOOPBACK.with(3, 3)),
      attacker: new LoopbackPeer(libc, LOOPBACK.with(3, 2)),
    };
    this.finished = plane.finished();
    this.finished.catch(() => {});
  }

  connect(mux: number, keys: ConnectionKeys, remote?: PeerName): Promise<void> {
    const words = endpointWords();
    writeEndpoint(words, 0, remote && this.#peers[remote].endpoint);
    this.table.endpoints.set(mux, words, 0);
    this.table.put(mux, keys, 0);
    this.#muxes.add(mux);
    return Promise.resolve();
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  receive(
    datagrams: readonly Uint8Array[],
    from: PeerName,
  ): Promise<Uint8Array[]> {
    return this.receiveJoined(datagrams.map((datagram) => [datagram]), from);
  }

  /** Lets runs of datagrams arrive, each as one message of the kernel. */
  async receiveJoined(
    runs: readonly (readonly Uint8Array[])[],
    from: PeerName,
    trafficClass = 0,
  ): Promise<Uint8Array[]> {
    const already = this.#packets.length;
    let expected = this.#handled();
    let burst = 0;
    for (const run of runs) {
      for (const datagram of run) burst += datagram.length + 64;
      if (burst > BURST_BYTES) {
        await this.#settle(expected);
        burst = 0;
      }
      this.#peers[from].send(run, this.#addressFor(from), trafficClass);
      expected += run.length;
    }
    await this.#settle(expected);
    return this.#packets.slice(already);
  }

  async send(packets: readonly Uint8Array[]): Promise<SentDatagram[]> {
    const asRead = this.#vnetHeader ? packets.map(plain) : packets;
    return await this.handOver(asRead, packets.length);
  }

  /**
   * Lets the device hand over packets as they are.
   *
   * @param count How many packets they stand for
   */
  async handOver(
    asRead: readonly Uint8Array[],
    count: number,
  ): Promise<SentDatagram[]> {
    const already = this.#sent.length;
    const expected = this.#handled() + count;
    for (const packet of asRead) {
      await until("the device has room", 60, () => this.#handsOver(packet));
    }
    await this.#settle(expected);
    return this.#sent.slice(already);
  }

  remote(mux = this.#firstMux): PeerName | undefined {
    const words = endpointWords();
    this.table.endpoints.copy(mux, words, 0);
    const endpoint = readEndpoint(words, 0);
    return endpoint && this.#nameOf(endpoint);
  }

  connectionCounter(index: number, mux = this.#firstMux): number {
    return this.table.counters.of(mux)[index] ?? 0;
  }

  planeCounter(index: number): number {
    return this.plane.counters()[index] ?? 0;
  }

  sendDue(): void {
    this.plane.sendDue();
  }

  /** Of the datagrams that have reached a peer, how many came joined. */
  joinedAt(peer: PeerName): number {
    return this.#peers[peer].joined;
  }

  /** Makes the next receiving from a socket fail, but no sending. */
  breakReceiving(): void {
    for (const fd of this.#receiveFrom) {
      replaceDescriptor(this.#libc, fd, O_RDONLY);
    }
  }

  /** Sends one datagram, or a joined run, and does not wait for it. */
  poke(run: readonly Uint8Array[], from: PeerName): void {
    this.#peers[from].send(run, this.#addressFor(from));
  }

  inject(datagrams: readonly Uint8Array[], from: PeerName): void {
    for (const datagram of datagrams) this.poke([datagram], from);
  }

  offer(packets: readonly Uint8Array[]): void {
    for (const packet of packets) {
      if (!this.#handsOver(this.#vnetHeader ? plain(packet) : packet)) return;
    }
  }

  outcome(): ReturnType<PlaneUnderTest["outcome"]> {
    return { sent: this.collect(), packets: this.#packets };
  }

  /** The packets that have reached the device, cut apart. */
  get packets(): readonly Uint8Array[] {
    return this.#packets;
  }

  async stop(): Promise<readonly string[]> {
    this.plane.stop();
    await this.finished;
    return this.#log.lines.map((line) => this.#named(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plane.stop();
    await Promise.allSettled([this.finished]);
    this.#close();
  }

  /** Collects what has come out of the plane until now. */
  collect(): readonly SentDatagram[] {
    for (const to of ["home", "away", "attacker"] as const) {
      for (
        const { datagram, trafficClass } of this.#peers[to].receivedWithClass()
      ) {
        this.classes.push(trafficClass);
        this.#sent.push({ datagram, to });
      }
    }
    for (const bytes of this.device.taken()) {
      this.written.push(bytes);
      this.#packets.push(...this.#vnetHeader ? segmentsOf(bytes) : [bytes]);
    }
    return this.#sent;
  }

  #nativeOptions(options: NativeRigOptions): NativeOptions {
    const { engine, params, deviceType = "tun", senderIds = [0] } = options;
    const { roaming = true, anySource = false, mux = 0 } = options;
    const { allowWrap = false } = options;
    const { coalesceTcp = false, coalesceUdp = false } = options;
    return {
      settings: tunnelSettings({
        ...{ params, deviceType, senderIds, roaming, anySource, mux },
        allowWrap,
        mtuDiscovery: options.mtuDiscovery,
      }),
      engine,
      connections: this.table.shared,
      live: options.live?.shared,
      routes: options.routes?.shared,
      accepted: undefined,
      device: this.device.fd,
      sockets: { ipv4: this.#sockets[0]?.fd, ipv6: this.#sockets[1]?.fd },
      receiveFrom: this.#receiveFrom,
      vnetHeader: this.#vnetHeader,
      gso: options.gso ?? false,
      gro: options.gro ?? false,
      locals: false,
      coalesce: { tcp: coalesceTcp, udp: coalesceUdp },
      warmUpRounds: 40,
    };
  }

  #addressFor(from: PeerName): UdpSocket["local"] {
    const size = this.#peers[from].endpoint.address.bytes.length;
    const socket = this.#sockets.find(({ local }) =>
      local.address.length === size
    );
    if (socket === undefined) throw new Error(`Cannot be reached by ${from}`);
    return socket.local;
  }

  #handsOver(packet: Uint8Array): boolean {
    this.collect();
    return this.device.handOver(packet);
  }

  get #firstMux(): number {
    const [first = 0] = this.#muxes;
    return first;
  }

  #handled(): number {
    const counters = [...this.#muxes].map((mux) => this.table.counters.of(mux));
    return handledPackets(counters, this.plane.counters());
  }

  #sum(index: number): number {
    return [...this.#muxes].reduce(
      (sum, mux) => sum + this.connectionCounter(index, mux),
      0,
    );
  }

  async #settle(handled: number): Promise<void> {
    const { PACKETS_OUT, KEEPALIVES_OUT, PACKETS_IN, SEND_FAILED } =
      ConnectionCounter;
    const { DEVICE_REFUSED } = PlaneCounter;
    await until(
      () =>
        `packets are handled, but ${this.#handled()} of ${handled}: ` +
        `${this.#sent.length} sent, ${this.#packets.length} written`,
      60,
      () => {
        // In this order, as the workers do not stand still in between: what
        // was counted first is looked for last.
        if (this.#handled() < handled) return false;
        const out = this.#sum(PACKETS_OUT) + this.#sum(KEEPALIVES_OUT) -
          this.#sum(SEND_FAILED);
        const into = this.#sum(PACKETS_IN) - this.planeCounter(DEVICE_REFUSED);
        this.collect();
        return this.#sent.length >= out && this.#packets.length >= into;
      },
    );
  }

  #named(line: string): string {
    let named = line;
    for (const [name, { endpoint }] of Object.entries(this.#peers)) {
      named = named.replaceAll(formatEndpoint(endpoint), name);
    }
    return named;
  }

  #nameOf(endpoint: Endpoint): PeerName {
    const text = formatEndpoint(endpoint);
    for (const name of ["home", "away", "attacker"] as const) {
      if (formatEndpoint(this.#peers[name].endpoint) === text) return name;
    }
    throw new Error(`Cannot name ${text}: it is no peer`);
  }

  #close(): void {
    for (const peer of Object.values(this.#peers)) peer.close();
    for (const socket of this.#sockets) socket.close();
    for (const fd of this.#receiveFrom) this.#libc.symbols.close(fd);
    this.device.close();
    if (this.#ownsLibc) this.#libc.close();
  }
}

function hasIpv6(libc: Libc): boolean {
  try {
    openOn(libc, LOOPBACK6).close();
    return true;
  } catch {
    return false;
  }
}
