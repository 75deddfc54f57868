import { delay } from "../src/net/delay.ts";
import {
  ANYCAST,
  ANYCAST_DEVICE,
  BgpNetwork,
  type BgpNetworkOptions,
  HOME,
  prefixOf,
  serverAddress,
  SERVERS,
} from "./bgp_network.ts";
import { type CommandEnd, runDaemon } from "./daemons.ts";
import type { LabHost } from "./host.ts";
import { EndlessCopy, serve } from "./measure.ts";
import { oursNative, type PeerProgram } from "./peers.ts";
import type { LabProcess } from "./process.ts";
import { TwoWayFlow } from "./two_way_flow.ts";

/** The client's address in the tunnel. */
export const CLIENT = "10.99.0.5";

/** From one datagram of the client's flow to the next, in ms. */
export const INTERVAL_MS = 2;

/** Bytes per second: a copy that fills the uplink is a loss for others. */
const COPY_PACE = 500_000;

const PORT = 4444;
const SYNC_PORT = 2323;
const SECRET = ["-E", "anycast", "-m", "5"];
const WINDOW = 1024;

/** The client as a server or the file of a control daemon knows it. */
export const CLIENT_OPTIONS: readonly string[] = [
  ...SECRET,
  ...["-w", String(WINDOW), "-R", `${CLIENT}/32`],
];

/** A client, and servers that a network with BGP chooses from. */
export class BgpLab implements AsyncDisposable {
  readonly network: BgpNetwork;
  readonly client: LabHost;
  readonly home: LabHost;
  readonly #running = new Map<number, LabProcess>();
  #flow: TwoWayFlow | undefined;

  private constructor(network: BgpNetwork) {
    this.network = network;
    this.client = network.client;
    this.home = network.home;
  }

  /**
   * Makes the network with that tag.
   *
   * @throws {Error} A command failed; nothing is left behind.
   */
  static async open(tag: string, options: BgpNetworkOptions): Promise<BgpLab> {
    return new BgpLab(await BgpNetwork.open(tag, options));
  }

  /**
   * Starts the server of that number, which nobody sends to as yet.
   *
   * @param options Its sender ids among them.
   * @param client Where it knows the client from.
   */
  async startServer(
    number: number,
    program: PeerProgram,
    options: readonly string[] = ["-s", String(number)],
    client: readonly string[] = CLIENT_OPTIONS,
  ): Promise<LabProcess> {
    const others = SERVERS.filter((k) => k !== number).map(serverAddress);
    const server = await program.start(this.network.server(number), {
      role: "left",
      type: "tun",
      addresses: ["10.99.0.1/24"],
      port: PORT,
      options: [
        ...this.#bound(),
        ...["-I", serverAddress(number), "-S", String(SYNC_PORT)],
        ...["-M", others.map((host) => `${host}:${SYNC_PORT}`).join(",")],
        ...client,
        ...options,
      ],
    });
    this.#running.set(number, server);
    return server;
  }

  /** Starts a server of ours, with ids of its own, that announces itself. */
  startMember(
    number: number,
    client: readonly string[] = CLIENT_OPTIONS,
    more: readonly string[] = [],
  ): Promise<LabProcess> {
    const ids = `${number * 256}-${number * 256 + 255}`;
    const options = ["-s", ids, "--status-socket", this.#socket(number)];
    const all = [...options, ...this.#announcing(), ...more];
    return this.startServer(number, oursNative, all, client);
  }

  /** The daemon of a server. */
  daemon(number: number): LabProcess {
    const daemon = this.#running.get(number);
    if (daemon === undefined) throw new Error(`Server ${number} has not run`);
    return daemon;
  }

  /** Asks a member, as its administrator does, with `drain` for example. */
  ask(
    number: number,
    what: string,
    ...options: readonly string[]
  ): Promise<CommandEnd> {
    const argv = [what, this.#socket(number), ...options];
    return runDaemon(this.network.server(number), argv);
  }

  /**
   * Starts the client, which knows one address.
   *
   * @param window How far back it looks for replays; 0 for not at all.
   */
  async startClient(
    program: PeerProgram,
    window = WINDOW,
    address = ANYCAST,
  ): Promise<LabProcess> {
    const process = await program.start(this.client, {
      role: "right",
      type: "tun",
      addresses: [`${CLIENT}/24`],
      port: PORT,
      remote: { host: address, port: PORT },
      options: [...SECRET, "-w", String(window)],
    });
    await this.client.ip("route", "add", "10.77.0.0/24", "dev", "at0");
    return process;
  }

  /**
   * Has datagrams go between the client and home from now on, once they reach
   * each other; home also takes what is copied to it.
   */
  async flow(): Promise<TwoWayFlow> {
    await this.client.ping(HOME);
    await serve(this.home);
    return this.#flow = await TwoWayFlow.start(
      { host: this.client, address: CLIENT },
      { host: this.home, address: HOME },
      INTERVAL_MS,
    );
  }

  /** Copies from the client to home beside the flow. */
  copy(): EndlessCopy {
    return EndlessCopy.start(this.client, HOME, COPY_PACE);
  }

  /** Packets that a server has taken out of the tunnel so far; 0 without. */
  async carried(number: number): Promise<number> {
    return (await this.#passed(number))?.rx.packets ?? 0;
  }

  /**
   * Waits until nothing comes through a server any more, of either way, that
   * the router does not send to.
   */
  async untilIdle(number: number): Promise<void> {
    // One that a busy host holds up looks idle, and has it all still.
    await this.#flow?.through();
    const counts = async () => JSON.stringify(await this.#passed(number));
    let before = "";
    for (let now = await counts(); now !== before; now = await counts()) {
      before = now;
      // The flow of the client goes on all the time.
      await delay(250 * INTERVAL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]();
  }

  async #passed(number: number): Promise<Passed | undefined> {
    const show = ["-j", "-s", "link", "show", "at0"];
    const text = await this.network.server(number).ip(...show)
      .catch(() => "[]");
    const [link]: Link[] = JSON.parse(text);
    return link?.stats64;
  }

  /** One that has addresses of both families takes them from the device. */
  #bound(): readonly string[] {
    return this.network.addresses.length > 1 ? [] : ["-i", ANYCAST];
  }

  /** What has a daemon of ours announce itself. */
  #announcing(): readonly string[] {
    const addresses = this.network.addresses.flatMap(
      (address) => ["--anycast-address", prefixOf(address)],
    );
    return [...addresses, "--anycast-device", ANYCAST_DEVICE];
  }

  #socket(number: number): string {
    return this.network.file(`server${number}.sock`);
  }
}

interface Counter {
  readonly packets: number;
}

/** What came through a device. */
interface Passed {
  readonly rx: Counter;
  readonly tx: Counter;
}

/** What `ip -j -s link` tells of a device. */
interface Link {
  readonly stats64: Passed;
}
