import { Hosts, type LabHost } from "./host.ts";
import type { LabProcess } from "./process.ts";
import { fromSource } from "./programs.ts";
import type { PeerProgram } from "./peers.ts";

/** The address that all servers have (RFC 5737). */
export const ANYCAST = "203.0.113.1";

/** The client's address in the tunnel. */
export const CLIENT = "10.99.0.2";

/** The host behind the servers that the client wants to reach. */
export const HOME = "10.77.0.254";

/** How many servers there are. */
const SERVERS = 3;

const SYNC_PORT = 2323;
const PORT = 4444;
/** Of the client's connection. */
export const MUX = 5;
const SECRET = ["-E", "cluster", "-m", String(MUX)];
const ROUTE = ["-R", `${CLIENT}/32`];

/**
 * Servers that share one address behind a router, a client before it, and a
 * host behind all servers:
 *
 * ```
 *              server 1
 * client  router  server 2  home
 *              server 3
 * ```
 *
 * The router decides which server has the client's packets, and home which
 * one has the answers.
 */
export class ClusterLab implements AsyncDisposable {
  readonly client: LabHost;
  readonly router: LabHost;
  readonly home: LabHost;
  readonly servers: readonly LabHost[];
  readonly #hosts: Hosts;
  readonly #sockets: string | undefined;
  readonly #running = new Map<number, LabProcess>();

  private constructor(hosts: Hosts, sockets: string | undefined) {
    this.router = hosts.at(0);
    this.client = hosts.at(1);
    this.home = hosts.at(2);
    this.servers = numbers().map((k) => hosts.at(2 + k));
    this.#hosts = hosts;
    this.#sockets = sockets;
  }

  /**
   * Makes the namespaces `at-<tag>` with a letter or number behind it.
   *
   * @param sockets A folder for unix sockets, through which servers tell each
   * other of clients: all of them are on one machine. Without it they do so
   * over the network behind them, as those that are far from each other.
   * @throws {Error} A command failed; nothing is left behind.
   */
  static async open(tag: string, sockets?: string): Promise<ClusterLab> {
    const names = ["r", "c", "h", ...numbers()];
    const hosts = await Hosts.make(names.map((name) => `${tag}${name}`));
    const lab = new ClusterLab(hosts, sockets);
    await hosts.connect(() => lab.#connect());
    return lab;
  }

  /**
   * Starts the server of that number, counted from 1.
   *
   * @param client Where it knows the client from.
   */
  async startServer(
    number: number,
    program: PeerProgram,
    options: readonly string[] = [],
    client: readonly string[] = [...SECRET, ...ROUTE],
  ): Promise<LabProcess> {
    const others = numbers().filter((k) => k !== number);
    const server = await program.start(this.server(number), {
      role: "left",
      type: "tun",
      addresses: [`10.99.0.${100 + number}/24`],
      port: PORT,
      options: [
        ...["-i", ANYCAST, "-s", String(number)],
        ...this.#sockets === undefined
          ? ["-I", homeAddress(number), "-S", String(SYNC_PORT)]
          : ["-S", this.#syncPlace(number)],
        ...["-M", others.map((k) => this.#syncPlace(k)).join(",")],
        ...client,
        ...options,
      ],
    });
    this.#running.set(number, server);
    return server;
  }

  /** Ends a server without a chance to say good-bye. */
  async killServer(number: number): Promise<void> {
    await this.#running.get(number)?.stop("SIGKILL");
  }

  /** Starts the client, which knows the one address of all servers. */
  async startClient(
    program: PeerProgram,
    port = PORT,
    keys: readonly string[] = SECRET,
  ): Promise<LabProcess> {
    const process = await program.start(this.client, {
      role: "right",
      type: "tun",
      addresses: [`${CLIENT}/24`],
      port,
      remote: { host: ANYCAST, port: PORT },
      options: keys,
    });
    await this.client.ip("route", "add", "10.77.0.0/24", "dev", "at0");
    return process;
  }

  /** The server of that number, counted from 1. */
  server(number: number): LabHost {
    const host = this.servers[number - 1];
    if (host === undefined) throw new Error(`Cannot find server ${number}`);
    return host;
  }

  /** Lets the network choose this server from now on, in both directions. */
  async moveTo(number: number): Promise<void> {
    await Promise.all([this.askThrough(number), this.answerThrough(number)]);
  }

  /** Lets this server have what the client sends. */
  async askThrough(number: number): Promise<void> {
    const via = wireAddress(number);
    await this.router.ip("route", "replace", ANYCAST, "via", via);
  }

  /** Lets this server have what is sent to the client. */
  async answerThrough(number: number): Promise<void> {
    const via = homeAddress(number);
    await this.home.ip("route", "replace", CLIENT, "via", via);
  }

  /** Packets that a server has taken out of the tunnel so far. */
  async carried(number: number): Promise<number> {
    const text = await this.server(number).ip(
      "-j",
      "-s",
      "link",
      "show",
      "at0",
    );
    const [link]: [{ stats64: { rx: { packets: number } } }] = JSON.parse(text);
    return link.stats64.rx.packets;
  }

  /** What a server tells of its client and its routes when it is asked. */
  async tables(number: number): Promise<string> {
    const at = this.#syncPlace(number);
    const args = ["showtables", "--connect", at];
    return await this.server(number).run([...fromSource.command, ...args]);
  }

  /** Lets nothing pass between two servers. */
  async cutSync(a: number, b: number): Promise<void> {
    await this.server(a).ip("route", "add", "blackhole", homeAddress(b));
    await this.server(b).ip("route", "add", "blackhole", homeAddress(a));
  }

  /** Lets everything pass again. */
  async healSync(a: number, b: number): Promise<void> {
    await this.server(a).ip("route", "del", "blackhole", homeAddress(b));
    await this.server(b).ip("route", "del", "blackhole", homeAddress(a));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]();
  }

  /** Where a server can be asked. */
  #syncPlace(number: number): string {
    return this.#sockets === undefined
      ? `${homeAddress(number)}:${SYNC_PORT}`
      : `unix:${this.#sockets}/server${number}`;
  }

  async #connect(): Promise<void> {
    const { client, router, home } = this;
    await client.join("net", router, "client");
    await client.address("net", `${client.ipv4}/24`);
    await router.address("client", `${router.ipv4}/24`);
    await client.ip("route", "add", "default", "via", router.ipv4);
    await home.ip("link", "add", "lan", "type", "bridge");
    await home.address("lan", `${HOME}/24`);
    await forward(router);
    for (const k of numbers()) await this.#connectServer(k);
  }

  async #connectServer(k: number): Promise<void> {
    const { router, home } = this;
    const server = this.server(k);
    await server.join("net", router, `server${k}`);
    await server.address("net", `${wireAddress(k)}/24`);
    await router.address(`server${k}`, `198.18.${k}.1/24`);
    await server.ip("route", "add", "default", "via", `198.18.${k}.1`);
    await server.address("lo", `${ANYCAST}/32`);
    await server.join("home", home, `server${k}`);
    await server.address("home", `${homeAddress(k)}/24`);
    await home.ip("link", "set", `server${k}`, "master", "lan", "up");
    await forward(server);
  }
}

function numbers(): number[] {
  return Array.from({ length: SERVERS }, (_, k) => k + 1);
}

/** A server's own address towards the router (RFC 2544). */
function wireAddress(number: number): string {
  return `198.18.${number}.2`;
}

function homeAddress(number: number): string {
  return `10.77.0.${number}`;
}

async function forward(host: LabHost): Promise<void> {
  // Answers may take another way than what they answer.
  await host.exec(
    "sysctl",
    "-qw",
    "net.ipv4.ip_forward=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
  );
}
